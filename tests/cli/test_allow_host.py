"""`up --allow-host`: the names under which an emulator is served."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from emulator.cli import commands
from emulator.config import Settings


@pytest.mark.parametrize("name", ["http://ml.example.com", "ml.example.com:4750", "", "a b", "*.example.com", "-a"])
def test_what_is_no_name_is_refused(name: str) -> None:
    done = CliRunner().invoke(commands, ["up", "--allow-host", name])
    assert done.exit_code == 2
    assert "is no name of a host" in done.output


def test_requests_may_come_by_the_names_of_the_settings() -> None:
    settings = Settings(
        host="mybox", allow_hosts=("a.example.com", "b.example.com"), container_endpoint="http://c.example.com:4750"
    )
    assert settings.host_names == {"mybox", "a.example.com", "b.example.com", "c.example.com"}
    assert Settings().host_names == {"127.0.0.1"}
