"""The lines that explain a failure are found in whatever else a program writes."""

from __future__ import annotations

import pytest

from emulator.web.log_tracebacks import last_traceback

SIMPLE = """\
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
ValueError: no such column: age"""

CHAINED = """\
Traceback (most recent call last):
  File "train.py", line 2, in load
    open(path)
FileNotFoundError: [Errno 2] No such file or directory: 'a'
 
The above exception was the direct cause of the following exception:
 
Traceback (most recent call last):
  File "train.py", line 6, in <module>
    load("a")
my.package.DataProblem: cannot read a"""  # noqa: W293 - an empty line of a program is a space in the log

GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "x.py", line 1, in <module>
  |     raise ExceptionGroup("two", [ValueError(1), ValueError(2)])
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "x.py", line 9, in f
    | ValueError: 1"""

INTERLEAVED = """\
Traceback (most recent call last):
epoch 3
  File "train.py", line 3, in <module>
loss: 0.25
    main()
Epoch: 4 of 10
KeyError: 'label'"""

RANKS = """\
[rank0]: Traceback (most recent call last):
[rank0]:   File "train.py", line 3, in <module>
[rank1]: step 7
[rank0]:     main()
RuntimeError: not of this rank
[rank0]: torch.distributed.DistBackendError: NCCL error"""

UNCOMPILED = """\
  File "train.py", line 3
    for x in
            ^
SyntaxError: invalid syntax"""

OWN_NAME = """\
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    stop()
  File "train.py", line 1, in stop
    raise Stopped
__main__.Stopped"""

CUT_OFF = """\
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()"""


@pytest.mark.parametrize(
    "text", [SIMPLE, CHAINED, GROUP, INTERLEAVED, RANKS, UNCOMPILED, OWN_NAME, CUT_OFF], ids=lambda text: text[-20:]
)
@pytest.mark.parametrize("before", [[], ["start", "Epoch: 1"], [*SIMPLE.splitlines(), "recovered", "goes on"]])
@pytest.mark.parametrize("after", [[], ["the container ends", "exit code: 1"]])
def test_a_traceback_is_found_whole(text: str, before: list[str], after: list[str]) -> None:
    lines = text.splitlines()
    span = last_traceback([*before, *lines, *after])
    assert span == (len(before), len(before) + len(lines))


def test_the_last_of_two_that_have_nothing_to_do_with_each_other() -> None:
    lines = [*SIMPLE.splitlines(), "During handling of the above exception nothing happened", *CHAINED.splitlines()]
    assert last_traceback(lines) == (5, len(lines))


def test_a_chain_of_three_begins_with_the_first_exception() -> None:
    during = ["", "During handling of the above exception, another exception occurred:", ""]
    lines = [*SIMPLE.splitlines(), *during, *SIMPLE.splitlines(), "step 4", *during, *SIMPLE.splitlines()]
    assert last_traceback(lines) == (0, len(lines))


@pytest.mark.parametrize(
    "lines",
    [[], ["all is well"], ["Killed"], ["ValueError: said in passing"], ["  File 'x', line 3"], ["\x00\udc80" * 9]],
)
def test_where_there_is_none_none_is_found(lines: list[str]) -> None:
    assert last_traceback(lines) is None


def test_one_that_does_not_go_on_is_one_line() -> None:
    lines = ["Traceback (most recent call last):", *["x" * 80] * 2000] * 20
    assert last_traceback(lines) == (len(lines) - 2001, len(lines) - 2000)
