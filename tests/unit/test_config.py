"""The address that settings make."""

from __future__ import annotations

import pytest

from emulator.config import Settings


@pytest.mark.parametrize(
    ("host", "told", "reached"),
    [
        ("127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("::1", "http://[::1]:1", "http://[::1]:1"),
        ("0.0.0.0", "http://0.0.0.0:1", "http://127.0.0.1:1"),
        ("::", "http://[::]:1", "http://127.0.0.1:1"),
    ],
)
def test_an_address_of_ipv6_has_brackets(host: str, told: str, reached: str) -> None:
    settings = Settings(host=host)
    assert settings.url(1) == told
    assert settings.url(1, from_here=True) == reached
