"""Git repositories with job files, made in a temporary folder by real git."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

IMAGE = Path(__file__).parents[2] / "fixtures/images/behaviour"
SECONDS = 240


class Repository:
    """A project under git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        shutil.copytree(IMAGE, folder / "image")

    def git(self, *arguments: str) -> str:
        """Run git as nobody in particular, with nobody's configuration."""
        author = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        nobody = {**os.environ, **author, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=nobody,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, name: str, text: str = "x\n") -> Path:
        """Write a file, and the folders above it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def change(self, name: str) -> None:
        """Add a comment to a file of YAML."""
        path = self.folder / name
        path.write_text(f"{path.read_text()}# changed\n")

    def job(self, name: str, program: str = "true", **more: Any) -> Path:
        """Write the job file of a training job that runs a line of shell."""
        request = {"Environment": {"PROGRAM": program}, **more.pop("request", {})}
        image = os.path.relpath(self.folder / "image", (self.folder / name).parent)
        document = {"kind": "training", "image": {"build": image}, "request": request, **more}
        return self.write(name, yaml.safe_dump(document, sort_keys=False))

    def commit(self) -> str:
        """Commit everything and return the revision."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=a change")
        return self.git("rev-parse", "HEAD")
