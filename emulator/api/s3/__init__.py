"""S3 on the wire: object operations answered from the object store, bucket operations by moto."""
