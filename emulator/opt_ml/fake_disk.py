"""A faked file system of pyfakefs, seen by everything but what must see the real one.

pyfakefs replaces `os`, `io`, `open`, `pathlib`, `shutil` ... in every module that has imported them. Its own
`Patcher` has one cache of those modules for the process; ours is a subclass with a cache of its own, so that the
`fs` fixture of a project is none of our business.

Modules are imported from the real disk: libraries that were loaded from a faked one would keep it for ever, and
compiled ones cannot be loaded twice. So the first import of one pauses the fake, and then it is patched as well.
"""

from __future__ import annotations

import builtins
import importlib
import io
import site
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from importlib.util import resolve_name
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, BinaryIO, ClassVar, cast

from pyfakefs.fake_filesystem import FakeFilesystem
from pyfakefs.fake_filesystem_unittest import Patcher
from pyfakefs.fake_open import FakeFileOpen
from pyfakefs.fake_os import FakeOsModule

from ..contract import paths
from ..errors import UsageError

# These work with real descriptors, real files of their own, or for the tests that run.
_REAL_FOR = (
    __name__.partition(".")[0],
    "_pytest",
    "asyncio",
    "botocore",
    "certifi",
    "concurrent",
    "coverage",
    "importlib",
    "inspect",
    "joblib._multiprocessing_helpers",
    "joblib.externals",
    "joblib.pool",
    "multiprocessing",
    "pkgutil",
    "pluggy",
    "pytest",
    "selectors",
    "socket",
    "subprocess",
    "threadpoolctl",
    "threading",
    "traceback",
    "xdist",
    "zoneinfo",
)
_TIME_ZONES = Path("/usr/share/zoneinfo")

Import = Callable[..., ModuleType]


class _Patcher(Patcher):
    """Patches with a cache of its own."""

    SKIPMODULES: ClassVar[set[Any]] = set(Patcher.SKIPMODULES)
    CACHED_MODULES: ClassVar[set[ModuleType]] = set()
    FS_MODULES: ClassVar[dict[str, set[tuple[ModuleType, str]]]] = {}
    FS_FUNCTIONS: ClassVar[dict[tuple[str, str, str], set[ModuleType]]] = {}
    SKIPPED_FS_MODULES: ClassVar[dict[str, set[tuple[ModuleType, str]]]] = {}
    SEEN: ClassVar[dict[str, Any]] = {}
    PATCHER = None
    REF_COUNT = 0

    def look_for_modules(self) -> None:
        """Find what was imported since the last look; `setUp` and `resume` patch it."""
        new = {name: module for name, module in sys.modules.copy().items() if self.SEEN.get(name) is not module}
        self.SEEN.update(new)
        self.SKIPMODULES.update(module for name, module in new.items() if _is_within(name, _REAL_FOR))

    def resume(self) -> None:
        """Patch again, and what was imported meanwhile too."""
        self.look_for_modules()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some modules warn when their members are looked at
            self._find_modules()
        super().resume()

    def keep_loaded_modules(self) -> None:
        """Have nothing removed from sys.modules when patching pauses or ends: what was loaded was so on purpose."""
        if self._dyn_patcher is not None:
            self._dyn_patcher._loaded_module_names.clear()


class Faking:
    """One faked file system, and this process as it sees it."""

    def __init__(self, code: Path | None) -> None:
        """Fake an empty file system; modules that lie in `code` are the program's own, and loaded as it runs."""
        self._programs = _modules_in(code) if code is not None else frozenset()
        self._patcher = _Patcher()
        self._fs: FakeFilesystem | None = None
        self._shown: list[tuple[Path, PurePosixPath, bool]] = []
        self._original_import: Import = builtins.__import__
        self._original_import_module = importlib.import_module
        self._away = False
        for directory in _importable(tuple(sys.path)):
            self.show(directory, PurePosixPath(directory), writable=False)

    def show(self, source: Path, target: PurePosixPath, *, writable: bool) -> None:
        """Let a directory of this machine be seen; what is written to it stays in the fake."""
        self._shown.append((source, target, writable))

    @property
    def _file_system(self) -> FakeFilesystem:
        assert self._fs is not None, "nothing has run"
        return self._fs

    @cached_property
    def os(self) -> FakeOsModule:
        """The functions of `os` for the faked file system, from inside and outside."""
        return FakeOsModule(self._file_system)

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading, from inside and outside."""
        return cast("BinaryIO", FakeFileOpen(self._file_system)(path, "rb"))

    @contextmanager
    def patched(self, working_directory: str) -> Iterator[None]:
        """Let this process see the faked file system, once."""
        patcher = self._patcher
        patcher.look_for_modules()
        patcher.setUp()
        try:
            assert patcher.fs is not None
            fs = self._fs = patcher.fs
            self._fill(fs, working_directory)
            _mend(patcher.fake_modules, fs)
            with self._imports(), _numpy_texts():
                yield
            _close_files(fs)
        finally:
            patcher.keep_loaded_modules()
            patcher.tearDown()

    def _fill(self, fs: FakeFilesystem, working_directory: str) -> None:
        for source, target, writable in self._shown:
            fs.add_real_directory(source, read_only=not writable, target_path=str(target))
        if not fs.exists(working_directory):
            fs.create_dir(working_directory)
        fs.cwd = working_directory

    # Imports

    @contextmanager
    def _imports(self) -> Iterator[None]:
        builtins.__import__ = self._import
        importlib.import_module = self._import_module
        try:
            yield
        finally:
            builtins.__import__ = self._original_import
            importlib.import_module = self._original_import_module

    def _import(
        self,
        name: str,
        globals: Any = None,  # noqa: A002 - as `__import__` calls it
        locals: Any = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if self._is_to_be_loaded(_absolute(name, globals, level), fromlist or ()):
            with self._on_the_real_disk():
                return self._original_import(name, globals, locals, fromlist, level)
        return self._original_import(name, globals, locals, fromlist, level)

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        if self._is_to_be_loaded(resolve_name(name, package) if package else name, ()):
            with self._on_the_real_disk():
                return self._original_import_module(name, package)
        return self._original_import_module(name, package)

    def _is_to_be_loaded(self, name: str, attributes: Sequence[str]) -> bool:
        if self._away or name in self._patcher.fake_modules or name.partition(".")[0] in self._programs:
            return False
        module = sys.modules.get(name)
        if module is None:
            return True
        return hasattr(module, "__path__") and any(
            f"{name}.{attribute}" not in sys.modules and not hasattr(module, attribute)
            for attribute in attributes
            if attribute != "*"
        )

    @contextmanager
    def _on_the_real_disk(self) -> Iterator[None]:
        self._away = True
        self._patcher.keep_loaded_modules()
        self._patcher.pause()
        try:
            yield
        finally:
            self._patcher.resume()
            self._away = False


def require_no_other() -> None:
    """Be sure that nobody else fakes this process's file system.

    Raises:
        UsageError: a fixture of pyfakefs does.
    """
    if Patcher.PATCHER is not None:
        raise UsageError(
            "pyfakefs fakes this whole test already (its `fs` fixture). Use opt_ml without it: "
            "opt_ml brings a faked file system of its own while a job runs."
        )


def _mend(fakes: Mapping[str, Any], fs: FakeFilesystem) -> None:
    """Add what pyfakefs leaves out: `os.listdir()` without a path, and opening a descriptor of a real pipe.

    It also looks through the callers of each call for modules that are not patched; those have the real functions.
    """
    for fake in fakes.values():
        if hasattr(fake, "skip_names"):
            fake.skip_names = set()
    fake_os, fake_io = fakes["os"], fakes["io"]
    listdir, fake_open = fake_os.listdir, fake_io.open
    fake_os.listdir = lambda path=".": listdir(path)

    def open_(file: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(file, int) and not _is_fake(fs, file):
            return io.open(file, *arguments, **named)  # noqa: UP020 - `open` is the fake's here
        return fake_open(file, *arguments, **named)

    fake_io.open = open_


def _is_fake(fs: FakeFilesystem, descriptor: int) -> bool:
    return 0 <= descriptor < len(fs.open_files) and bool(fs.open_files[descriptor])


def _close_files(fs: FakeFilesystem) -> None:
    """Close what the program left open, as the end of a process does: `json.dump(report, open(path, "w"))`.

    On a real disk such a file is closed when nobody knows it any more; pyfakefs knows every open file.
    """
    for one in [one for opened in fs.open_files for one in opened or ()]:
        with suppress(OSError, ValueError):
            one.close()


@contextmanager
def _numpy_texts() -> Iterator[None]:
    """`numpy.loadtxt` and its like keep the `open` of the day on which numpy was imported."""
    found: Any = sys.modules.get("numpy.lib._datasource")
    openers = getattr(getattr(found, "_file_openers", None), "_file_openers", None)
    if not isinstance(openers, dict) or None not in openers:
        yield
        return
    before = openers[None]
    openers[None] = open
    try:
        yield
    finally:
        openers[None] = before


@cache
def _importable(path: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the directories that modules and their data come from; none lies in another."""
    named = [*path, sys.prefix, sys.base_prefix, site.getusersitepackages(), str(_TIME_ZONES)]
    found = {Path(one).absolute() for one in named if one}
    found = {one for one in found if one.is_dir() and one.parts[:3] != paths.OPT_ML.parts and len(one.parts) > 1}
    return tuple(sorted(one for one in found if found.isdisjoint(one.parents)))


def _modules_in(code: Path) -> frozenset[str]:
    """Return the names of the modules and packages that lie in a directory."""
    return frozenset(one.stem for one in code.iterdir() if one.suffix == ".py" or one.is_dir())


def _absolute(name: str, globals_: Any, level: int) -> str:
    package = (globals_ or {}).get("__package__")
    return resolve_name("." * level + name, package) if level and package else name


def _is_within(name: str, parts: Sequence[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)
