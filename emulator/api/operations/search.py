"""Search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...contract.arns import Scope
from ...experiments.searching import RECORD_MEMBERS
from ...runtime import Emulator
from .. import service_model

Document = dict[str, Any]

# Properties that the documentation of Search names and the shape of the record does not.
_ALSO: Final = ("Metrics", "HyperParameters")


def search(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return one page of what satisfies the expression."""
    member = RECORD_MEMBERS.get(request["Resource"], "")
    known = (*service_model.output_members_below("Search", "Results", member), *_ALSO) if member else ()
    page = emulator.searching.search(scope, request, known)
    answer: Document = {
        "Results": [{member: one.document} for one in page.results],
        "TotalHits": {"Value": page.total, "Relation": "EqualTo"},
    }
    if page.next_token is not None:
        answer["NextToken"] = page.next_token
    return answer


OPERATIONS: dict[str, Callable[..., Document]] = {"Search": search}
