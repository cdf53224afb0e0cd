"""The fixture `opt_ml`; see docs/rungs/opt_ml.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .opt_ml import OptMl


@pytest.fixture
def opt_ml(request: pytest.FixtureRequest) -> Iterator[OptMl]:
    """Runs jobs in the test's own process over a faked /opt/ml."""
    from .opt_ml import OptMl

    made = OptMl(request.node.name, request.config.rootpath)
    yield made
    made.close()
