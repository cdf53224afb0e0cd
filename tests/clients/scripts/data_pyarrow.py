"""pyarrow's own S3 client (the AWS SDK for C++), and pandas, which uses it or s3fs."""

import json
import os
import random

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs as arrow_fs

MIB = 1024**2
bucket, many = os.environ["BUCKET"], os.environ["MANY"]
home = f"{bucket}/arrow"
# A filesystem of a URI knows the endpoint of the environment; one that is made by its name must be told.
fs = arrow_fs.S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"])
of_uri, path = arrow_fs.FileSystem.from_uri(f"s3://{bucket}/{many}")
assert path == f"{bucket}/{many}"
assert of_uri.get_file_info(path).type == arrow_fs.FileType.Directory

# An output stream of several parts, and a file that is read from anywhere.
content = random.Random(2).randbytes(23 * MIB + 1)
with fs.open_output_stream(
    f"{home}/large.bin", metadata={"Content-Type": "application/x-noise", "note": "ours"}
) as file:
    for start in range(0, len(content), 4 * MIB):
        file.write(content[start : start + 4 * MIB])
with fs.open_input_file(f"{home}/large.bin") as file:
    assert file.size() == len(content)
    for position in (0, 11 * MIB + 5, len(content) - 7):
        file.seek(position)
        assert file.read(1000) == content[position : position + 1000], position
    assert file.read_at(9, 10 * MIB) == content[10 * MIB : 10 * MIB + 9]
with fs.open_input_stream(f"{home}/large.bin") as file:
    assert file.read() == content
with fs.open_output_stream(f"{home}/empty"):
    pass
assert fs.get_file_info(f"{home}/empty").size == 0
fs.copy_file(f"{home}/large.bin", f"{home}/a folder/ünï+é&%41.bin")
fs.move(f"{home}/empty", f"{home}/moved")
infos = fs.get_file_info([f"{home}/empty", f"{home}/moved", f"{home}/a folder", f"{home}/large.bin"])
assert [one.type for one in infos] == [
    arrow_fs.FileType.NotFound,
    arrow_fs.FileType.File,
    arrow_fs.FileType.Directory,
    arrow_fs.FileType.File,
]
found = fs.get_file_info(arrow_fs.FileSelector(home, recursive=True))
assert sorted(one.base_name for one in found if one.is_file) == ["large.bin", "moved", "ünï+é&%41.bin"]

# A dataset: partitions, one column, a filter.
table = pa.table({"id": list(range(1000)), "year": [2020 + number % 4 for number in range(1000)]})
ds.write_dataset(table, f"{home}/dataset", format="parquet", partitioning=["year"], filesystem=fs)
dataset = ds.dataset(f"{home}/dataset", partitioning=["year"], filesystem=fs)
assert len(dataset.files) == 4
chosen = dataset.to_table(columns=["id"], filter=ds.field("year") == 2021)["id"].to_pylist()
assert sorted(chosen) == list(range(1, 1000, 4))
pq.write_table(table, f"{home}/table.parquet", filesystem=fs, row_group_size=100)
assert pq.read_table(f"s3://{home}/table.parquet", columns=["id"]).num_columns == 1
assert pq.ParquetFile(f"{home}/table.parquet", filesystem=fs).read_row_group(7)["id"].to_pylist() == list(
    range(700, 800)
)

# pandas, by the same client and by s3fs; once with the endpoint in its options.
frame = pd.read_parquet(f"s3://{home}/table.parquet", columns=["id"])
assert frame["id"].sum() == sum(range(1000))
options = {"key": "123456789012", "secret": "any", "client_kwargs": {"endpoint_url": os.environ["AWS_ENDPOINT_URL"]}}
frame.to_parquet(f"s3://{home}/by_pandas.parquet", storage_options=options)
assert pd.read_parquet(f"s3://{home}/by_pandas.parquet", storage_options=options).equals(frame)
frame.to_csv(f"s3://{home}/by_pandas.csv", index=False)
assert pd.read_csv(f"s3://{home}/by_pandas.csv").equals(frame)

# More than one page of a listing, and of a deletion.
listed = fs.get_file_info(arrow_fs.FileSelector(f"{bucket}/{many}", recursive=True))
fs.delete_dir(f"{bucket}/{many}")
left = fs.get_file_info(arrow_fs.FileSelector(f"{bucket}/{many}", allow_not_found=True))
assert left == []
fs.delete_file(f"{home}/moved")
fs.create_dir(f"{home}/made")
fs.delete_dir(f"{home}/a folder")
print(json.dumps({"listed": len({one.path for one in listed})}))
