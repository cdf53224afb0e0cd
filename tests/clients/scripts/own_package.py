"""Makes a folder of source code whose requirements need no index: the package lies beside them as a wheel."""

import shutil
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
WHEEL = "doubling-1.0-py3-none-any.whl"
FILES = {
    "doubling.py": "def double(number):\n    return 2 * number\n",
    "doubling-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: doubling\nVersion: 1.0\n",
    "doubling-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "doubling-1.0.dist-info/RECORD": "doubling.py,,\n",
}


def source_folder() -> Path:
    """Return a folder of the working directory with the program, its requirements and the package."""
    folder = Path("source")
    folder.mkdir()
    shutil.copy(HERE / "cleaning/clean.py", folder)
    (folder / "requirements.txt").write_text(f"--no-index\n./{WHEEL}\n")
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
    return folder


def numbers_folder() -> Path:
    """Return a folder of the working directory with data."""
    folder = Path("numbers")
    folder.mkdir()
    for number in (3, 5):
        (folder / f"{number}.txt").write_text(str(number))
    return folder
