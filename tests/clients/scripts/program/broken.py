"""Fails as programs do: with an exception that says what is wrong."""

from pathlib import Path

print("reading the data", flush=True)
Path("/opt/ml/output/failure").write_text("row 7: the label is missing")
raise ValueError("row 7: the label is missing")
