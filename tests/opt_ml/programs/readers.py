"""Try readers and writers at /opt/ml, in an environment that has them: prints what works on which kind of disk.

Each is tried in a job of its own; a result that is not what was written counts as a failure.
"""

import glob
import gzip
import io
import json
import logging
import mmap
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from emulator.opt_ml.opt_ml import OptMl

FRAME = pd.DataFrame({"a": [1, 2], "b": [3.5, 4.5]})
MODEL = LinearRegression().fit([[1], [2]], [1, 2])
ARRAY = np.arange(3.0)


def at(name):
    return os.path.join(os.environ["SM_CHANNEL_TRAIN"], name)


def out(name):
    return os.path.join(os.environ["SM_MODEL_DIR"], name)


def same(found):
    return found.equals(FRAME)


def written(write, name, read):
    def attempt():
        write(out(name))
        return read(out(name))

    return attempt


def process():
    return (
        subprocess.run(["cat", at("x.csv")], capture_output=True, check=True).stdout
        == FRAME.to_csv(index=False).encode()
    )


def database():
    with sqlite3.connect(out("x.db")) as connection:
        connection.execute("create table a (b)")
    return os.path.getsize(out("x.db")) > 0


def logged():
    handler = logging.FileHandler(out("log.txt"))
    handler.emit(logging.makeLogRecord({"msg": "said"}))
    handler.close()
    return Path(out("log.txt")).read_text() == "said\n"


def mapped():
    with open(at("x.csv"), "rb") as file:
        return bytes(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))[:3] == b"a,b"


def packed():
    with tarfile.open(out("x.tar"), "w") as archive:
        archive.add(at("x.csv"), "x.csv")
    with zipfile.ZipFile(out("x.zip"), "w") as archive:
        archive.write(at("x.csv"), "x.csv")
    with gzip.open(out("x.gz"), "wb") as file:
        file.write(b"1")
    return tarfile.open(out("x.tar")).getnames() == zipfile.ZipFile(out("x.zip")).namelist() == ["x.csv"]


def found_files():
    names = sorted(path.name for path in Path(at(".")).rglob("*") if path.is_file())
    return names == sorted(os.path.basename(one) for one in glob.glob(at("**"), recursive=True) if os.path.isfile(one))


def parquet_in_memory():
    content = io.BytesIO(Path(at("x.parquet")).read_bytes())
    with open(out("y.parquet"), "wb") as file:
        pq.write_table(pq.read_table(content), file)
    return same(pd.read_parquet(io.BytesIO(Path(out("y.parquet")).read_bytes())))


ATTEMPTS = {
    "open, pathlib, os, glob": found_files,
    "json, csv, pickle": lambda: pickle.loads(pickle.dumps(json.load(open(at("x.json"))))) == {"k": 1},
    "shutil, tempfile": lambda: shutil.copytree(at("."), out("copy")) and tempfile.mkdtemp().startswith("/"),
    "tarfile, zipfile, gzip": packed,
    "logging.FileHandler": logged,
    "pandas.read_csv, to_csv": written(lambda p: FRAME.to_csv(p, index=False), "y.csv", lambda p: same(pd.read_csv(p))),
    "pandas.read_csv(memory_map=True)": lambda: same(pd.read_csv(at("x.csv"), memory_map=True)),
    "pandas.read_json, to_json": written(FRAME.to_json, "y.json", lambda p: same(pd.read_json(p))),
    "pandas.read_pickle, to_pickle": written(FRAME.to_pickle, "y.pkl", lambda p: same(pd.read_pickle(p))),
    "pandas.read_feather, to_feather": written(FRAME.to_feather, "y.feather", lambda p: same(pd.read_feather(p))),
    "pandas.read_parquet(file)": lambda: same(pd.read_parquet(at("x.parquet"))),
    "pandas.read_parquet(directory)": lambda: same(pd.read_parquet(at("folder"))),
    "pandas.to_parquet(path)": written(FRAME.to_parquet, "y.parquet", lambda p: same(pd.read_parquet(p))),
    "pyarrow on a path: parquet, csv, dataset": lambda: (
        pq.read_table(at("x.parquet")).num_rows
        == pa.csv.read_csv(at("x.csv")).num_rows
        == pa.dataset.dataset(at("folder")).count_rows()
    ),
    "pyarrow on io.BytesIO, or writing to an open file": parquet_in_memory,
    "numpy.save, savez, load": written(
        lambda p: np.savez(p, a=ARRAY), "y.npz", lambda p: (np.load(p)["a"] == ARRAY).all()
    ),
    "numpy.loadtxt, savetxt, genfromtxt": written(
        lambda p: np.savetxt(p, ARRAY), "y.txt", lambda p: (np.loadtxt(p) == np.genfromtxt(p)).all()
    ),
    "numpy.memmap, load(mmap_mode=...)": written(
        lambda p: np.save(p, ARRAY), "y.npy", lambda p: (np.load(p, mmap_mode="r") == ARRAY).all()
    ),
    "numpy.fromfile, tofile": written(ARRAY.tofile, "y.bin", lambda p: (np.fromfile(p) == ARRAY).all()),
    "joblib.dump, load": written(
        lambda p: joblib.dump(MODEL, p), "y.joblib", lambda p: joblib.load(p).coef_ == MODEL.coef_
    ),
    "scikit-learn with n_jobs=2": lambda: (
        RandomForestClassifier(n_estimators=3, n_jobs=2).fit([[1], [2]], [0, 1]) is not None
    ),
    "sklearn.datasets.load_iris, zoneinfo": lambda: (
        load_iris().data.shape == (150, 4) and ZoneInfo("Europe/Berlin").key != ""
    ),
    "joblib.Parallel (processes) without files": lambda: (
        joblib.Parallel(2)(joblib.delayed(abs)(one) for one in (-1, 2)) == [1, 2]
    ),
    "subprocess that reads /opt/ml": process,
    "sqlite3": database,
    "mmap": mapped,
}


def main():
    opt_ml = OptMl("readers")
    frame = io.BytesIO()
    FRAME.to_parquet(frame)
    files = {"x.csv": FRAME, "x.parquet": FRAME, "x.json": {"k": 1}, "folder/part-0.parquet": FRAME}
    job = opt_ml.training_job(channels={"train": files}, expect=None)
    found = {}
    for name, attempt in ATTEMPTS.items():

        def program(attempt=attempt):
            assert attempt()

        faked, real = job.run(program), job.run(program, on_disk=True)
        found[name] = [faked.status == "Completed", real.status == "Completed"]
        for result in (faked, real):
            if result.status != "Completed":
                print(name, repr(result.exception), file=sys.stderr)
    opt_ml.close()
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
