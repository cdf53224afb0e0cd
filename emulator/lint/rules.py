"""The table of all rules, applied: from facts to findings. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import Final

from ..errors import UsageError
from . import image_rules, program_rules, run_rules
from .facts import Facts, Kind
from .rule import Finding, Severity

RULES: Final = tuple(
    sorted(
        (*program_rules.RULES, *image_rules.RULES, *run_rules.RULES),
        key=lambda rule: (tuple(Severity).index(rule.severity), rule.id),
    )
)
RULE_IDS: Final = frozenset(rule.id for rule in RULES)

_READS: Final = {
    "Dockerfile": "Dockerfile or image",
    "image": "image",
    "files": "image's files",
    "packages": "image's Python packages",
    "run": "probing run",
}


def findings_of(facts: Facts) -> tuple[Finding, ...]:
    """Return what is wrong, the worst first; what another finding explains is left out."""
    found = [
        Finding(rule=rule, message=hit.message, line=hit.line)
        for rule in RULES
        if facts.kind in rule.kinds
        for hit in rule.check(facts)
    ]
    hit = {finding.rule.id for finding in found}
    return tuple(finding for finding in found if not hit.intersection(finding.rule.unless))


def checked_ids(rules: Collection[str]) -> frozenset[str]:
    """Return the ids of rules that a person named.

    Raises:
        UsageError: there is no such rule.
    """
    for rule in rules:
        if rule not in RULE_IDS:
            near = difflib.get_close_matches(rule, RULE_IDS, 1, 0.0)
            raise UsageError(f"There is no rule {rule!r}. Did you mean {near[0]}? docs/lint.md has them all.")
    return frozenset(rules)


def table() -> Iterator[str]:
    """Yield the lines of the published table of rules."""
    for severity in Severity:
        rules = [rule for rule in RULES if rule.severity is severity]
        yield f"### {severity.capitalize()}s"
        yield ""
        yield "| rule | what is found | why it matters | what to do | told by |"
        yield "|---|---|---|---|---|"
        for rule in rules:
            only = "" if rule.kinds == tuple(Kind) else f" ({', '.join(rule.kinds)})"
            yield f"| `{rule.id}` | {rule.what}{only} | {rule.why} | {rule.fix} | {_READS[rule.reads]} |"
        yield ""
