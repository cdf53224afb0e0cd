"""What the address of an experiment's page asks for: rows, columns, order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from werkzeug.datastructures import MultiDict

from .arguments import whole_number

STATISTICS: Final = ("Last", "Min", "Max")
OPERATORS: Final = {
    "Equals": "=",
    "NotEquals": "≠",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": "≥",
    "LessThan": "<",
    "LessThanOrEqualTo": "≤",
    "Contains": "contains",
    "Exists": "exists",
    "NotExists": "does not exist",
}
RUNS, JOBS, ALL = "runs", "jobs", "all"

_LAST_PAGE: Final = 10**6


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the address of a page asks for."""

    text: str = ""
    show: str = ""
    where: str = ""
    operator: str = "GreaterThan"
    value: str = ""
    statistic: str = "Last"
    sort: str = "CreationTime"
    descending: bool = True
    columns: tuple[str, ...] = ()
    page: int = 1

    @classmethod
    def parse(cls, given: MultiDict[str, str]) -> Self:
        """Read the arguments of an address. What no page of ours would ask for is what is asked for by default."""
        operator, sort = given.get("is", ""), given.get("sort") or "CreationTime"
        statistic = given.get("stat", "")
        metric, _, sorted_statistic = sort.rpartition(".")
        if metric.startswith("Metrics.") and sorted_statistic in STATISTICS:  # rows are sorted by what they show
            statistic = statistic if statistic in STATISTICS else sorted_statistic
            sort = f"{metric}.{statistic}"
        return cls(
            text=given.get("q", "").strip(),
            show=given.get("show", "") if given.get("show") in (RUNS, JOBS, ALL) else "",
            where=given.get("where", "").strip(),
            operator=operator if operator in OPERATORS else "GreaterThan",
            value=given.get("value", "").strip(),
            statistic=statistic if statistic in STATISTICS else "Last",
            sort=sort,
            descending=given.get("order") != "Ascending",
            columns=tuple(given.getlist("column")),
            page=min(max(whole_number(given.get("page", "")) or 1, 1), _LAST_PAGE),
        )

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """Return the arguments of the address of this page, some of them changed; what is as by default is left out."""
        now = {
            "q": self.text,
            "show": self.show,
            "where": self.where,
            "is": self.operator if self.where else "",
            "value": self.value if self.where else "",
            "stat": self.statistic if self.statistic != "Last" else "",
            "sort": self.sort if self.sort != "CreationTime" else "",
            "order": "" if self.descending else "Ascending",
            "column": list(self.columns),
            "page": "",
            **changes,
        }
        return {name: value for name, value in now.items() if value not in ("", [], None)}

    def sorted_by(self, name: str) -> dict[str, Any]:
        """Return the arguments of the page sorted by something: the other way around, if it is so already."""
        order = "Ascending" if name == self.sort and self.descending else ""
        return self.arguments(sort=name, order=order)

    def direction(self, name: str) -> str:
        """Return the aria-sort of a column."""
        if name != self.sort:
            return "none"
        return "descending" if self.descending else "ascending"

    def expression(self) -> dict[str, Any] | None:
        """Return the SearchExpression of the condition, if there is one."""
        if not self.where:
            return None
        one = {"Name": self.where, "Operator": self.operator}
        if self.operator not in ("Exists", "NotExists"):
            one["Value"] = self.value
        return {"Filters": [one]}
