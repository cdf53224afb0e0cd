"""The object store: files on disk and an SQLite index. The truth of every object of the fake S3."""
