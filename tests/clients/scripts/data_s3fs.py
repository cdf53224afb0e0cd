"""s3fs: files and folders of S3, as data scientists' scripts use them."""

import io
import json
import os
import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import s3fs

MIB = 1024**2
bucket, many = os.environ["BUCKET"], os.environ["MANY"]
home = f"{bucket}/s3fs"
fs = s3fs.S3FileSystem()

# Small files, whole and line by line.
with fs.open(f"{home}/notes/first note.txt", "w", encoding="utf-8") as file:
    file.write("one\nzwei ☃\n")
with fs.open(f"{home}/notes/first note.txt", "r", encoding="utf-8") as file:
    assert file.readlines() == ["one\n", "zwei ☃\n"]
fs.pipe(f"{home}/notes/ünï+é&%41.bin", b"\x00\x01")
assert fs.cat(f"{home}/notes/ünï+é&%41.bin") == b"\x00\x01"
with fs.open(f"{home}/notes/empty", "wb"):
    pass
assert fs.cat(f"{home}/notes/empty") == b""
with fs.open(f"{home}/notes/empty", "ab") as file:
    file.write(b"appended")
assert fs.cat(f"{home}/notes/empty") == b"appended"

# A file of several parts, read in pieces from anywhere.
content = random.Random(1).randbytes(17 * MIB + 3)
with fs.open(f"{home}/large.bin", "wb", block_size=5 * MIB) as file:
    for start in range(0, len(content), 3 * MIB):
        file.write(content[start : start + 3 * MIB])
assert fs.info(f"{home}/large.bin")["size"] == len(content)
with fs.open(f"{home}/large.bin", "rb", block_size=MIB, cache_type="readahead") as file:
    for position in (0, 9 * MIB + 7, len(content) - 5, 5 * MIB - 1):
        file.seek(position)
        assert file.read(1000) == content[position : position + 1000], position
    file.seek(-10, os.SEEK_END)
    assert file.read() == content[-10:]
assert fs.cat_file(f"{home}/large.bin", start=-4) == content[-4:]
assert fs.cat_ranges([f"{home}/large.bin"] * 2, [0, MIB], [9, MIB + 9]) == [content[:9], content[MIB : MIB + 9]]
fs.get(f"{home}/large.bin", "large.bin")
assert Path("large.bin").read_bytes() == content
fs.put("large.bin", f"{home}/put.bin")
fs.copy(f"{home}/put.bin", f"{home}/copied.bin")
assert fs.cat(f"{home}/copied.bin") == content

# One column of a parquet file: the footer and the column's pages, not the file.
table = pa.table({"id": list(range(200_000)), "noise": [random.random() for _ in range(200_000)]})
buffer = io.BytesIO()
pq.write_table(table, buffer, compression="none")
fs.pipe(f"{home}/table.parquet", buffer.getvalue())
with fs.open(f"{home}/table.parquet", "rb", cache_type="readahead", block_size=64 * 1024) as file:
    assert pq.read_table(file, columns=["id"], pre_buffer=False)["id"].to_pylist() == list(range(200_000))
    assert file.cache.total_requested_bytes < 0.7 * len(buffer.getvalue()), file.cache
with fs.open(f"{home}/partitioned/year=2024/part-0.parquet", "wb") as file:
    pq.write_table(table.slice(0, 10), file)
assert pq.read_table(f"{home}/partitioned", filesystem=fs).num_rows == 10

# Folders.
assert fs.exists(f"{home}/large.bin")
assert not fs.exists(f"{home}/missing")
assert not fs.exists(f"{bucket}-that-is-not-there/key")
assert fs.isdir(f"{home}/notes")
assert fs.isfile(f"{home}/notes/empty")
names = ["empty", "first note.txt", "ünï+é&%41.bin"]
assert sorted(fs.ls(f"{home}/notes")) == [f"{home}/notes/{name}" for name in names]
assert fs.glob(f"{home}/**/*.parquet") == [
    f"{home}/partitioned/year=2024/part-0.parquet",
    f"{home}/table.parquet",
]
assert fs.du(f"{home}/notes") == 8 + len("one\nzwei ☃\n".encode()) + 2
fs.mv(f"{home}/put.bin", f"{home}/moved.bin")
assert (fs.exists(f"{home}/put.bin"), fs.exists(f"{home}/moved.bin")) == (False, True)
fs.rm(f"{home}/notes/empty")
fs.rm(f"{home}/notes", recursive=True)
assert not fs.exists(f"{home}/notes")
try:
    fs.cat(f"{home}/notes/empty")
    sys.exit("a missing file was read")
except FileNotFoundError:
    pass

# More than one page of a listing, and of a deletion.
listed = fs.find(f"{bucket}/{many}")
url = fs.url(f"{home}/large.bin", expires=3600)
fs.rm(f"{bucket}/{many}", recursive=True)
assert fs.find(f"{bucket}/{many}") == []
print(json.dumps({"listed": len(set(listed)), "first": listed[0], "last": listed[-1], "url": url}))
