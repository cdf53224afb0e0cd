"""Write data/: impression logs of an ad exchange as they come from the field. Standard library only.

raw/day=.../    five days; each has four files: two of the exchange "alpha" (CSV), two of "beta" (JSON lines)
batch/day=.../  the next day's impressions, not yet clicked, to be scored
dirty/day=.../  a day on which one of beta's servers was updated, and writes prices and times in another way

Values are skewed (a few ads and sites have most impressions), some are missing, and about one row in a hundred is
broken. Whether an impression is clicked follows from a logistic model with noise. The same seed gives the same bytes.
"""

import argparse
import csv
import gzip
import io
import json
import math
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

FIRST_DAY = date(2026, 3, 1)
DAYS = 5
FILES = ("alpha-0.csv.gz", "alpha-1.csv.gz", "beta-0.jsonl.gz", "beta-1.jsonl.gz")
UPDATED_SERVER = "beta-1.jsonl.gz"
BROKEN_SHARE = 0.01

CATEGORIES = ("auto", "beauty", "fashion", "finance", "food", "games", "health", "sports", "tech", "travel")
FORMATS = {"banner": -0.5, "native": 0.3, "video": 0.6}
POSITIONS = {"top": 0.5, "middle": 0.1, "bottom": -0.5, "footer": -1.2}
DEVICES = {"phone": 0.2, "tablet": 0.1, "desktop": -0.2, "tv": -1.0}
SYSTEMS = {
    "phone": ("android", "ios"),
    "tablet": ("ios", "android"),
    "desktop": ("windows", "macos", "linux"),
    "tv": ("tizen",),
}
COUNTRIES = ("jp", "us", "de", "in", "br", "fr")
BASE = -3.9  # with it, about one impression in twenty is clicked
SEGMENT_MATCHES = 1.3
TIRED_OF_IT = -0.12  # for each time that the user has seen the ad


@dataclass(frozen=True)
class Ad:
    ad_id: str
    category: str
    format: str
    appeal: float


@dataclass(frozen=True)
class Market:
    """What there is to show, and where; the most frequent first."""

    ads: list[Ad]
    sites: dict[str, float]

    @classmethod
    def make(cls, seed: int) -> "Market":
        rng = random.Random(f"{seed}/market")
        ads = [
            Ad(f"ad{number:04}", rng.choice(CATEGORIES), rng.choice(list(FORMATS)), rng.gauss(0, 0.8))
            for number in range(400)
        ]
        return cls(ads, {f"site{number:03}.example": rng.gauss(0, 0.6) for number in range(150)})


def skewed(rng: random.Random, values: list, count: int) -> list:
    """Choose as fields do: the n-th value about 1/n as often as the first."""
    return rng.choices(values, [1 / (rank + 2) for rank in range(len(values))], k=count)


def impressions(rng: random.Random, market: Market, prefix: str, day: date, count: int) -> list[dict]:
    ads = skewed(rng, market.ads, count)
    sites = skewed(rng, list(market.sites), count)
    devices = rng.choices(list(DEVICES), [60, 8, 28, 4], k=count)
    positions = rng.choices(list(POSITIONS), [3, 4, 2, 1], k=count)
    countries = skewed(rng, list(COUNTRIES), count)
    seconds = sorted(int(rng.triangular(0, 86_399, 72_000)) for _ in range(count))
    places = zip(sites, devices, positions, countries, strict=True)
    return [
        impression(rng, market, ad, place, name=f"{prefix}-{number:06}", time=f"{day}T{clock(second)}Z")
        for number, (second, ad, place) in enumerate(zip(seconds, ads, places, strict=True))
    ]


def impression(
    rng: random.Random, market: Market, ad: Ad, place: tuple[str, str, str, str], *, name: str, time: str
) -> dict:
    site, device, position, country = place
    segment = ad.category if rng.random() < 0.2 else rng.choice(CATEGORIES)
    seen = int(rng.expovariate(0.5))
    evening = 0.25 if int(time[11:13]) >= 18 else 0.0
    score = (
        BASE
        + ad.appeal
        + market.sites[site]
        + FORMATS[ad.format]
        + POSITIONS[position]
        + DEVICES[device]
        + (SEGMENT_MATCHES if segment == ad.category else 0)
        + TIRED_OF_IT * seen
        + evening
        + rng.gauss(0, 0.4)
    )
    return {
        "impression_id": name,
        "timestamp": time,
        "site": site,
        "ad_id": ad.ad_id,
        "category": ad.category,
        "format": ad.format,
        "position": position,
        "device": device,
        "os": None if rng.random() < 0.04 else rng.choice(SYSTEMS[device]),
        "country": country,
        "segment": None if rng.random() < 0.25 else segment,
        "seen_before": seen,
        "bid_price": round(math.exp(rng.gauss(0.2 + 0.3 * ad.appeal, 0.6)), 4),
        "viewability": None if rng.random() < 0.12 else round(rng.betavariate(5 + POSITIONS[position], 2), 3),
        "clicked": int(rng.random() < 1 / (1 + math.exp(-score))),
    }


def clock(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def with_broken_rows(rng: random.Random, rows: list[dict], share: float) -> list[dict]:
    """Break a share of the rows, each in one of the ways that are seen in the field."""
    breaks = ({"timestamp": "1970-01-01T00:00:00Z"}, {"bid_price": -1}, {"site": None}, {"clicked": "?"})
    broken = []
    for row in rows:
        broken.append({**row, **rng.choice(breaks)} if rng.random() < share else row)
        if rng.random() < share / 5:
            broken.append(row)  # sent twice
    return broken


def with_another_format(rng: random.Random, rows: list[dict], share: float) -> list[dict]:
    """Write a share of the rows as the updated server does: decimal commas, and some times day first."""
    changed = []
    for row in rows:
        if rng.random() < share:
            day, time = row["timestamp"].split("T")
            new = {"bid_price": str(row["bid_price"]).replace(".", ",")}
            if rng.random() < 0.25:
                new = {"timestamp": "/".join(reversed(day.split("-"))) + " " + time[:-1]}
            changed.append({**row, **new})
        else:
            changed.append(row)
    return changed


def write(rng: random.Random, path: Path, rows: list[dict], cut_share: float) -> None:
    """Write a log, with some lines cut short as by a server that was killed."""
    if path.name.endswith(".csv.gz"):
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        header, *lines = text.getvalue().splitlines()
    else:
        header, lines = "", [json.dumps(row, separators=(",", ":")) for row in rows]
    lines = [line[: len(line) // 2] if rng.random() < cut_share else line for line in lines]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write("".join(f"{line}\n" for line in [header, *lines] if line).encode())


def write_day(
    folder: Path, market: Market, seed: int, day: date, count: int, *, clicks: bool = True, dirty_share: float = 0
) -> None:
    for name in FILES:
        rng = random.Random(f"{seed}/{day}/{name}")
        rows = impressions(rng, market, f"{name.split('.')[0]}-{day:%m%d}", day, count)
        rows = with_broken_rows(rng, rows, BROKEN_SHARE)
        if dirty_share and name == UPDATED_SERVER:
            rows = with_another_format(rng, rows, dirty_share)
        if not clicks:
            rows = [{key: value for key, value in row.items() if key != "clicked"} for row in rows]
        write(rng, folder / f"day={day}" / name, rows, BROKEN_SHARE / 5)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write impression logs.")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--rows-per-file", type=int, default=10_000, help="a day has four files")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dirty-share", type=float, default=0.4, help="of one file of the dirty day")
    args = parser.parse_args()

    market = Market.make(args.seed)
    for number in range(DAYS):
        write_day(args.folder / "raw", market, args.seed, FIRST_DAY + timedelta(number), args.rows_per_file)
    after = FIRST_DAY + timedelta(DAYS)
    few = args.rows_per_file // 4
    write_day(args.folder / "batch", market, args.seed, after, few, clicks=False)
    write_day(args.folder / "dirty", market, args.seed, after, few, dirty_share=args.dirty_share)
    print(f"{args.folder}: {DAYS} days of {len(FILES)} files with {args.rows_per_file} rows each; a batch; a dirty day")


if __name__ == "__main__":
    main()
