"""Which jobs a change concerns, in repositories of real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.errors import UsageError
from emulator.gate.finding import find_job_files
from emulator.gate.selection import choose, load
from tests.gate.repositories import Repository

DOCKERFILE = "FROM scratch\nCOPY train.py /\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two jobs with images and data of their own, one behind the first, one of its own."""
    here = Repository(tmp_path / "project")
    for name in ("one", "two"):
        here.write(f"{name}/Dockerfile", DOCKERFILE)
        here.write(f"{name}/train.py")
        here.write(f"{name}/.dockerignore", "jobs\nnotes\n*.md\n!kept.md\n")
        here.write(f"{name}/notes/a.txt")
        here.write(f"{name}/data/train/a.csv")
        data = {f"s3://b/{name}/": "../data/train"}
        here.job(f"{name}/jobs/{name}.yaml", image={"build": ".."}, data=data)
    here.job("one/jobs/behind.yaml", after=["one"], image={"name": "an/image:1"})
    here.job("one/jobs/apart.yaml", image={"name": "an/image:1"})
    here.write("README.md")
    here.write("deployment.yaml", "kind: Deployment\napiVersion: v1\n")
    here.commit()
    return here


def chosen(repository: Repository, revision: str | None = "HEAD", *paths: str) -> dict[str, str]:
    """Return why each job runs that does."""
    found = find_job_files([repository.folder / path for path in paths or (".",)])
    return {one.job_file.name: one.why for one in choose(load(found), revision) if one.runs}


def test_nothing_runs_when_nothing_has_changed(repository: Repository) -> None:
    assert chosen(repository) == {}


def test_all_run_without_a_revision(repository: Repository) -> None:
    assert chosen(repository, None).keys() == {"one", "two", "behind", "apart"}
    for of_ci in ("", "0" * 40):
        assert set(chosen(repository, of_ci).values()) == {"all jobs run: there is no revision to compare with"}


def test_all_run_outside_of_a_repository(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("kind: training\nimage: {name: a}\n")
    (choice,) = choose(load([path]), "main")
    assert (choice.runs, choice.why) == (True, "it is in no git repository")


@pytest.mark.parametrize(
    ("file", "reasons"),
    [
        ("two/train.py", {"two": "its image's folder has changed: two/train.py"}),
        ("two/new.py", {"two": "its image's folder has changed: two/new.py"}),
        ("two/Dockerfile", {"two": "its image's folder has changed: two/Dockerfile"}),
        ("two/.dockerignore", {"two": "its image's folder has changed: two/.dockerignore"}),
        ("two/kept.md", {"two": "its image's folder has changed: two/kept.md"}),
        ("two/data/train/b.csv", {"two": "its image's folder has changed: two/data/train/b.csv"}),
        ("two/jobs/two.yaml", {"two": "its job file has changed"}),
        ("two/notes/a.txt", {}),
        ("two/README.md", {}),
        ("README.md", {}),
        (
            "one/train.py",
            {"one": "its image's folder has changed: one/train.py", "behind": "it is after one"},
        ),
        ("one/jobs/behind.yaml", {"one": "behind is after it", "behind": "its job file has changed"}),
    ],
)
def test_a_change_concerns_those_who_use_the_file(repository: Repository, file: str, reasons: dict[str, str]) -> None:
    path = repository.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "# changed\n")
    assert chosen(repository) == reasons
    repository.git("add", "--all")
    assert chosen(repository) == reasons, "staged"
    before = repository.git("rev-parse", "HEAD")
    repository.commit()
    assert chosen(repository) == {}
    assert chosen(repository, before) == reasons, "committed"


def test_data_beside_the_image(repository: Repository) -> None:
    repository.write("two/.dockerignore", "data\njobs\n")
    repository.commit()
    repository.write("two/data/train/b.csv")
    assert chosen(repository) == {"two": "its data has changed: two/data/train/b.csv"}


def test_a_file_that_is_gone_or_renamed_is_a_change(repository: Repository) -> None:
    repository.git("mv", "two/train.py", "two/notes/train.py")
    assert chosen(repository) == {"two": "its image's folder has changed: two/train.py"}
    repository.git("reset", "--hard", "--quiet")
    (repository.folder / "two/notes/a.txt").unlink()
    assert chosen(repository) == {}


def test_a_mode_is_part_of_the_image(repository: Repository) -> None:
    (repository.folder / "two/train.py").chmod(0o755)
    assert chosen(repository).keys() == {"two"}


def test_what_others_did_since_the_branch_began_does_not_count(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "mine")
    repository.write("two/train.py", "mine\n")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("one/train.py", "theirs\n")
    repository.commit()
    repository.git("checkout", "--quiet", "mine")
    assert chosen(repository, "main").keys() == {"two"}


def test_a_dockerfile_elsewhere(repository: Repository) -> None:
    repository.write("docker/two.Dockerfile", DOCKERFILE)
    image = {"build": "../two", "dockerfile": "../docker/two.Dockerfile"}
    repository.job("jobs/job.yaml", image=image)
    repository.commit()
    repository.write("docker/two.Dockerfile", "FROM scratch\n")
    assert chosen(repository) == {"job": "its Dockerfile has changed"}


def test_odd_names(repository: Repository) -> None:
    repository.write('two/ä "b"\n.py')
    assert chosen(repository).keys() == {"two"}


def test_what_lies_outside_of_the_repository_always_counts(repository: Repository) -> None:
    outside = repository.folder.parent / "outside"
    outside.mkdir()
    (outside / "a").write_text("a")
    repository.job("jobs/job.yaml", image={"name": "a"}, data={"s3://b/c/": str(outside)})
    repository.commit()
    assert chosen(repository) == {"job": f"its data is not in its git repository: {outside}"}


def test_a_job_that_is_named_brings_those_before_it(repository: Repository) -> None:
    assert chosen(repository, None, "one/jobs/behind.yaml").keys() == {"one", "behind"}


def test_a_revision_that_git_does_not_have(repository: Repository) -> None:
    with pytest.raises(UsageError, match="--changed-since origin/main: git cannot compare with it") as raised:
        chosen(repository, "origin/main")
    assert "fetch-depth: 0" in str(raised.value)
    with pytest.raises(UsageError):
        chosen(repository, "--help")


def test_a_shallow_clone_says_what_to_do(repository: Repository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.write("two/train.py", "2\n")
    repository.commit()
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(tmp_path / "clone"))
    shallow = [tmp_path / "clone"]
    with pytest.raises(UsageError, match="GIT_DEPTH: 0"):
        choose(load(find_job_files(shallow)), first)


def test_everything_that_is_wrong_is_said(repository: Repository) -> None:
    repository.write("one/jobs/a.yaml", "kind: training\nimages: {}\n")
    repository.write("two/jobs/b.yaml", "kind: training\nimage: {name: a}\nrequests: {}\n")
    with pytest.raises(UsageError) as raised:
        chosen(repository)
    assert "a.yaml, line 2: images: there is no such key" in str(raised.value)
    assert "b.yaml, line 3: requests: there is no such key" in str(raised.value)


def test_files_of_one_name_in_one_folder_are_told_apart(repository: Repository) -> None:
    repository.job("one/jobs/one.yml", image={"name": "a"})
    with pytest.raises(UsageError, match="another job file is called one too"):
        chosen(repository)


def test_a_folder_without_job_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: Deployment\n")
    with pytest.raises(UsageError, match="no job files in the folder"):
        find_job_files([tmp_path])
    with pytest.raises(UsageError, match="There is no file or folder"):
        find_job_files([tmp_path / "b"])


def test_job_files_are_found_by_what_they_say(tmp_path: Path) -> None:
    for name, text in {
        "a.yaml": "# first\nkind: training\n",
        "b/c.yml": "{kind: processing, image: {}}\n",
        "b/d.yaml": 'request: {}\n"kind": "training"\n',
        "e.yaml": "kinds: training\n",
        ".venv/f.yaml": "kind: training\n",
        "node_modules/g.yaml": "kind: training\n",
        "h.json": "kind: training\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "i.yaml").write_bytes(b"kind: training\xff\n")
    found = find_job_files([tmp_path, tmp_path / "a.yaml"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.yaml", "b/c.yml", "b/d.yaml"]
