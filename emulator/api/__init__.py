"""The AWS wire: requests in, answers out. One file a resource below `operations`."""
