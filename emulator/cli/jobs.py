"""`sagemaker-emulator jobs`: the training jobs there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import click

from .env import client_options, endpoint_url
from .exec_ import require_endpoint

_STATUSES: Final = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")
_HEADER: Final = ("NAME", "STATUS", "SECONDARY", "CREATED", "SECONDS")


@click.command()
@client_options
@click.option("--status", type=click.Choice(_STATUSES, case_sensitive=False), help="Only jobs with this status.")
@click.option("--name", help="Only jobs whose names contain this.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most this many.")
def jobs(port: int, region: str, account: str, status: str | None, name: str | None, limit: int) -> None:
    """List training jobs, the newest first."""
    require_endpoint(port)
    from ..jobfiles.clients import service_errors
    from .clients import make_clients

    clients = make_clients(endpoint_url(port), region=region, account=account)
    wanted: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    wanted |= {key: value for key, value in (("StatusEquals", status), ("NameContains", name)) if value}
    with service_errors():
        pages = clients.sagemaker.get_paginator("list_training_jobs").paginate(**wanted)
        summaries = list(islice((one for page in pages for one in page["TrainingJobSummaries"]), limit))
    now = datetime.now(UTC)
    for line in _table([_HEADER, *(_row(one, now) for one in summaries)]):
        click.echo(line)


def _row(summary: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    created: datetime = summary["CreationTime"]
    seconds = (summary.get("TrainingEndTime", now) - created).total_seconds()
    return (
        summary["TrainingJobName"],
        summary["TrainingJobStatus"],
        summary.get("SecondaryStatus", ""),
        f"{created.astimezone():%Y-%m-%d %H:%M:%S}",
        f"{seconds:.1f}",
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Return the rows with their columns under each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
