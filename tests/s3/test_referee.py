"""moto's own tests, in server mode, against our endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.s3 import referee
from tests.s3.conftest import process_of


@pytest.mark.docker
@pytest.mark.timeout(900)
def test_what_passes_on_plain_moto_passes_here(tmp_path: Path) -> None:
    with process_of(tmp_path / "state") as url:
        found = referee.outcomes(url, log=tmp_path / "moto.log")
    expected = referee.expected() - set(referee.DIFFERS) - referee.INSIST_ON_MOTOS_PORT
    owed = sorted(name for name in expected if found.get(name) != "passed")
    assert not owed, f"{len(owed)} of {len(expected)} do not pass; see {tmp_path}/moto.log"


def test_each_difference_is_one() -> None:
    assert set(referee.DIFFERS) <= referee.expected()
