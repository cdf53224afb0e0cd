"""`sagemaker-emulator jobs`: the jobs there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import click

from ..contract.kinds import JobKind
from .env import client_options, endpoint_url
from .exec_ import require_endpoint
from .options import KIND_NAMES, kinds_of

_STATUSES: Final = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")
_HEADER: Final = ("NAME", "KIND", "STATUS", "SECONDARY", "CREATED", "SECONDS")


@click.command()
@click.option("--status", type=click.Choice(_STATUSES, case_sensitive=False), help="Only jobs with this status.")
@click.option("--name", help="Only jobs whose names contain this.")
@click.option("--kind", type=click.Choice(list(KIND_NAMES)), help="Only jobs of this kind.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most this many.")
@client_options
def jobs(
    port: int, region: str, account: str, status: str | None, name: str | None, kind: str | None, limit: int
) -> None:
    """List jobs, the newest first."""
    require_endpoint(port)
    from ..jobfiles.clients import service_errors
    from ..jobfiles.connecting import make_clients

    clients = make_clients(endpoint_url(port), region=region, account=account)
    wanted: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    wanted |= {key: value for key, value in (("StatusEquals", status), ("NameContains", name)) if value}
    with service_errors():
        newest = [(one, summary) for one in kinds_of(kind) for summary in islice(clients.list(one, wanted), limit)]
    newest.sort(key=lambda found: found[1]["CreationTime"], reverse=True)
    now = datetime.now(UTC)
    for line in _table([_HEADER, *(_row(one, summary, now) for one, summary in newest[:limit])]):
        click.echo(line)


def _row(kind: JobKind, summary: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    created: datetime = summary["CreationTime"]
    ended: datetime = summary.get("TrainingEndTime") or summary.get("ProcessingEndTime") or now
    return (
        summary[kind.name_member],
        kind.words.partition(" ")[0],
        summary[kind.status_member],
        summary.get("SecondaryStatus", ""),
        f"{created.astimezone():%Y-%m-%d %H:%M:%S}",
        f"{(ended - created).total_seconds():.1f}",
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Return the rows with their columns under each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
