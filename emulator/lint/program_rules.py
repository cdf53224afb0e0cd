"""Rules about what is started: the command, its file, and the training toolkit's program. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from ..contract import paths
from .facts import DEFAULT_PATH, Facts, Kind, Program
from .rule import Hit, Rule, Severity

SHELLS: Final = ("sh", "bash", "dash", "ash", "zsh")
_READERS: Final = (*SHELLS, "python", "python3", "perl", "Rscript", "node", "julia")
_TOOLKIT: Final = "sagemaker-training"
_COMMAND_SOURCE: Final = (
    '"How Amazon SageMaker runs your training image": without a ContainerEntrypoint the image is run as '
    "`docker run IMAGE train`; for hosting as `docker run IMAGE serve`. Processing jobs run ENTRYPOINT and CMD."
)
_WITH_ARGUMENT: Final = (Kind.TRAINING, Kind.SERVING)


def _program(facts: Facts) -> Program | None:
    """Return the program, if the image was looked into and has it."""
    program = facts.files.program if facts.files else None
    return program if program is not None and program.path is not None else None


def _missing(facts: Facts) -> Iterator[Hit]:
    program = facts.files.program if facts.files else None
    if program is None or program.path is not None:
        return
    where = (
        "not in the image" if "/" in program.name else f"not on PATH ({facts.environment.get('PATH', DEFAULT_PATH)})"
    )
    if facts.argument and not facts.config.entrypoint:
        message = f"It has no ENTRYPOINT, and `{program.name}` is {where}."
    else:
        message = f"It runs `{program.name}`, which is {where}."
    if facts.request is None and program.name in ("train", "serve"):
        message += " If it is for something else: --kind training, --kind processing, --kind serving."
    yield Hit(message, facts.line("ENTRYPOINT"))


def _not_executable(facts: Facts) -> Iterator[Hit]:
    program = _program(facts)
    if program is not None and not program.is_executable:
        yield Hit(f"{program.path} has no execute permission.", _copy_line(facts, program))


def _crlf(facts: Facts) -> Iterator[Hit]:
    program = _program(facts)
    if program is not None and program.text.startswith("#!") and program.text.partition("\n")[0].endswith("\r"):
        yield Hit(
            f"{program.path} has Windows line endings: its interpreter is {program.shebang!r} and a carriage return.",
            _copy_line(facts, program),
        )


def _interpreter_missing(facts: Facts) -> Iterator[Hit]:
    program = _program(facts)
    if program is not None and program.interpreter and not program.has_interpreter:
        yield Hit(
            f"{program.path} begins with `#!{program.shebang}`, but {program.interpreter} is not in the image.",
            _copy_line(facts, program),
        )


def _without_shebang(facts: Facts) -> Iterator[Hit]:
    program = _program(facts)
    if program is not None and program.is_executable and not program.is_binary and program.shebang is None:
        yield Hit(f"{program.path} is neither a binary nor begins with `#!`.", _copy_line(facts, program))


def _shell_form(facts: Facts) -> Iterator[Hit]:
    entrypoint = facts.config.entrypoint
    if facts.runs_entrypoint and entrypoint and _is_shell_with_text(entrypoint):
        lost = f" and `{facts.argument}` is never seen by the program" if facts.argument else ""
        yield Hit(
            f"ENTRYPOINT is `{' '.join(entrypoint)[:80]}`: a shell is the first process{lost}.",
            facts.line("ENTRYPOINT"),
        )


def _is_shell_with_text(entrypoint: tuple[str, ...]) -> bool:
    return (
        len(entrypoint) >= 3 and PurePosixPath(entrypoint[0]).name in SHELLS and entrypoint[1] in ("-c", "-lc", "-ec")
    )


def _reads_argument_as_file(facts: Facts) -> Iterator[Hit]:
    entrypoint = facts.config.entrypoint
    if not facts.runs_entrypoint or not entrypoint or not facts.argument:
        return
    is_reader = PurePosixPath(entrypoint[0]).name in _READERS and all(word.startswith("-") for word in entrypoint[1:])
    if is_reader and "-c" not in entrypoint and facts.files is not None and facts.files.argument_is_a_file is False:
        yield Hit(
            f"The service runs `{' '.join(entrypoint)} {facts.argument}`: {entrypoint[0]} looks for a file "
            f"named {facts.argument}, and there is none in {facts.config.working_directory or '/'}.",
            facts.line("ENTRYPOINT"),
        )


def _tini(facts: Facts) -> Iterator[Hit]:
    entrypoint = facts.config.entrypoint
    if facts.runs_entrypoint and entrypoint and PurePosixPath(entrypoint[0]).name in ("tini", "tini-static"):
        yield Hit(f"ENTRYPOINT begins with {entrypoint[0]}.", facts.line("ENTRYPOINT"))


def _shell_script(facts: Facts) -> Iterator[Hit]:
    program = _program(facts)
    if program is None or program.language not in SHELLS:
        return
    commands = [line.strip() for line in program.text.splitlines() if not line.strip().startswith("#")]
    if not any(word in ("exec", "trap") for line in commands for word in line.replace(";", " ").split()):
        yield Hit(
            f"{program.path} is a {program.language} script with neither `exec` nor `trap`.", _copy_line(facts, program)
        )


def _command_replaced(facts: Facts) -> Iterator[Hit]:
    config = facts.config
    if config.entrypoint and config.command and facts.argument and config.command[-1] != facts.argument:
        words = " ".join(config.command)
        yield Hit(f"CMD is `{words[:80]}`; the service runs `{facts.argument}` in its place.", facts.line("CMD"))


def _runs_toolkit(facts: Facts) -> bool:
    """Tell whether the program is the training toolkit's `train`."""
    packages, program = facts.packages, _program(facts)
    return (
        packages is not None
        and _TOOLKIT in packages.versions
        and program is not None
        and PurePosixPath(program.name).name == "train"
        and program.language.startswith("python")
        and "SAGEMAKER_TRAINING_MODULE" not in facts.environment
    )


def _toolkit_program_missing(facts: Facts) -> Iterator[Hit]:
    name = facts.environment.get("SAGEMAKER_PROGRAM")
    brings_code = facts.request is not None and "sagemaker_submit_directory" in facts.request.hyperparameters
    if _runs_toolkit(facts) and name and not brings_code and facts.files and facts.files.has_toolkit_program is False:
        yield Hit(
            f"SAGEMAKER_PROGRAM is {name}, but there is no file {paths.OPT_ML / 'code' / name}.",
            facts.line("ENV", "SAGEMAKER_PROGRAM"),
        )


def _toolkit_program_unset(facts: Facts) -> Iterator[Hit]:
    if facts.request is not None and _has_no_program(facts):
        yield Hit("Neither the image nor the job file names the program for the training toolkit.")


def _toolkit_program_from_request(facts: Facts) -> Iterator[Hit]:
    if facts.request is None and _has_no_program(facts):
        yield Hit(
            "The training toolkit is there, and SAGEMAKER_PROGRAM is not set: each request must name the program."
        )


def _has_no_program(facts: Facts) -> bool:
    given = facts.request.hyperparameters if facts.request else frozenset()
    return _runs_toolkit(facts) and not facts.environment.get("SAGEMAKER_PROGRAM") and "sagemaker_program" not in given


def _buffered(facts: Facts) -> Iterator[Hit]:
    program = _program(facts)
    if program is None or facts.environment.get("PYTHONUNBUFFERED"):
        return
    is_python = program.language.startswith("python") or PurePosixPath(program.name).name.startswith("python")
    if is_python and "-u" not in (facts.command or ()):
        yield Hit("The program is Python's, and PYTHONUNBUFFERED is not set.")


def _copy_line(facts: Facts, program: Program) -> int | None:
    """Return the line that brought the program, by its path or into its directory."""
    path = program.path or ""
    return facts.line("COPY", path) or facts.line("COPY", str(PurePosixPath(path).parent)) or facts.line("ENTRYPOINT")


_EXIT_127: Final = "The container cannot start and the job ends with `AlgorithmError: , exit code: 127`. "
_EXIT_126: Final = "The container cannot start and the job ends with `AlgorithmError: , exit code: 126`. "

RULES: Final = (
    Rule(
        id="program-missing",
        severity=Severity.ERROR,
        what="The program that the service starts is not in the image",
        why=_EXIT_127 + _COMMAND_SOURCE,
        fix="COPY a program named `train` (`serve`) into a folder of PATH, mode 755, or set an exec-form ENTRYPOINT.",
        check=_missing,
        reads="files",
    ),
    Rule(
        id="program-not-executable",
        severity=Severity.ERROR,
        what="The program that the service starts has no execute permission",
        why=_EXIT_126 + "The file is started by itself, not given to an interpreter. " + _COMMAND_SOURCE,
        fix="RUN chmod 755 on it, or chmod +x and commit the mode in the source.",
        check=_not_executable,
        reads="files",
    ),
    Rule(
        id="program-crlf",
        severity=Severity.ERROR,
        what="The program has Windows line endings",
        why=_EXIT_127 + "The kernel takes the carriage return for a part of the interpreter's name.",
        fix="Convert it (dos2unix), and keep it so: `*.sh text eol=lf` in .gitattributes.",
        check=_crlf,
        reads="files",
    ),
    Rule(
        id="program-interpreter-missing",
        severity=Severity.ERROR,
        what="The interpreter in the program's first line is not in the image",
        why=_EXIT_127 + "The kernel starts what stands behind `#!`.",
        fix="Install the interpreter, or name the one that is there, such as `#!/usr/bin/env python3`.",
        check=_interpreter_missing,
        reads="files",
        unless=("program-crlf",),
    ),
    Rule(
        id="program-without-shebang",
        severity=Severity.ERROR,
        what="The program is a text without `#!`",
        why=_EXIT_126 + "No shell is between the service and the program: the kernel refuses with `exec format error`.",
        fix="Begin it with `#!/bin/sh` or `#!/usr/bin/env python3`; nothing may stand before it.",
        check=_without_shebang,
        reads="files",
    ),
    Rule(
        id="shell-form-entrypoint",
        severity=Severity.ERROR,
        what="ENTRYPOINT is in shell form",
        why='"How Amazon SageMaker runs your training image": use the exec form. The shell gets `train` (`serve`, the '
        "request's ContainerArguments) as its own argument and drops it, and gets the SIGTERM of a stop and of "
        "MaxRuntimeInSeconds, which it does not pass on: after 120 s the container is killed.",
        fix='Write the exec form: ENTRYPOINT ["python3", "/opt/program/train.py"].',
        check=_shell_form,
        reads="Dockerfile",
    ),
    Rule(
        id="entrypoint-reads-argument-as-file",
        severity=Severity.ERROR,
        what="ENTRYPOINT is an interpreter alone, which takes `train` or `serve` for the name of a script",
        why="The service appends its argument to ENTRYPOINT and replaces CMD. " + _COMMAND_SOURCE,
        fix='Put the script into ENTRYPOINT, not into CMD: ENTRYPOINT ["python3", "/opt/program/train.py"].',
        check=_reads_argument_as_file,
        reads="files",
        kinds=_WITH_ARGUMENT,
        unless=("program-missing",),
    ),
    Rule(
        id="tini-entrypoint",
        severity=Severity.WARNING,
        what="tini is the entrypoint",
        why='"How Amazon SageMaker runs your training image": tini cannot be used as entrypoint, as the arguments '
        "`train` and `serve` confuse it.",
        fix="Make the program itself the ENTRYPOINT; on the service it has no need of an init.",
        check=_tini,
        reads="Dockerfile",
        kinds=_WITH_ARGUMENT,
    ),
    Rule(
        id="shell-script-without-exec",
        severity=Severity.WARNING,
        what="The program is a shell script that passes no signals on",
        why="StopTrainingJob and MaxRuntimeInSeconds send SIGTERM to the first process only. A shell that waits for a "
        "command does not pass it on: the command has no chance to save anything, and after 120 s all is killed.",
        fix='Start the last command with exec: `exec python3 /opt/program/train.py "$@"`.',
        check=_shell_script,
        reads="files",
        unless=("program-crlf", "program-not-executable", "program-interpreter-missing"),
    ),
    Rule(
        id="command-replaced",
        severity=Severity.NOTE,
        what="CMD beside ENTRYPOINT is never run",
        why="The service puts `train` or `serve` in the place of CMD. " + _COMMAND_SOURCE,
        fix="Put it into ENTRYPOINT, or have requests give it: ContainerArguments, Environment, HyperParameters.",
        check=_command_replaced,
        reads="Dockerfile",
        kinds=_WITH_ARGUMENT,
        unless=("entrypoint-reads-argument-as-file", "shell-form-entrypoint"),
    ),
    Rule(
        id="toolkit-program-missing",
        severity=Severity.ERROR,
        what="The file that SAGEMAKER_PROGRAM names is not in /opt/ml/code",
        why="The training toolkit runs SAGEMAKER_PROGRAM from /opt/ml/code, unless the request brings its code by the "
        "hyperparameter sagemaker_submit_directory; /opt/ml/code is the one directory of /opt/ml that is the image's.",
        fix="COPY the program to /opt/ml/code/, or correct SAGEMAKER_PROGRAM.",
        check=_toolkit_program_missing,
        reads="packages",
        kinds=(Kind.TRAINING,),
    ),
    Rule(
        id="toolkit-program-unset",
        severity=Severity.ERROR,
        what="The job file's image has the training toolkit, and nothing says which program it is to run",
        why="The toolkit takes the program from SAGEMAKER_PROGRAM, else from the hyperparameter sagemaker_program; "
        "without either it fails.",
        fix="ENV SAGEMAKER_PROGRAM=train.py, or Environment: {SAGEMAKER_PROGRAM: train.py} in the request.",
        check=_toolkit_program_unset,
        reads="packages",
        kinds=(Kind.TRAINING,),
    ),
    Rule(
        id="toolkit-program-from-request",
        severity=Severity.NOTE,
        what="An image with the training toolkit leaves its program to the request",
        why="This is script mode: the SDK's estimators send sagemaker_program and sagemaker_submit_directory. Any "
        "other request must do so too, or set SAGEMAKER_PROGRAM.",
        fix="If the image has its program: ENV SAGEMAKER_PROGRAM=train.py.",
        check=_toolkit_program_from_request,
        reads="packages",
        kinds=(Kind.TRAINING,),
    ),
    Rule(
        id="output-buffered",
        severity=Severity.NOTE,
        what="Python buffers what the program prints",
        why="Output is a pipe, not a terminal: Python keeps it until 8 KiB are full. Log lines and metrics come late, "
        "and those in the buffer are lost when the container is killed.",
        fix="ENV PYTHONUNBUFFERED=1",
        check=_buffered,
        reads="files",
        unless=("program-crlf", "program-not-executable", "program-interpreter-missing"),
    ),
)
