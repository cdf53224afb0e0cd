"""The gate of a CI: which job files a change concerns, pytest to run them, and a summary of how that went."""
