"""Content as a page shows it: a stretch of text, the rows of a table, JSON laid out, bytes as figures."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from typing import Any, Final

from .kinds import Kind, decoded
from .streams import WINDOW, Source, UnreadableError

MOST_ROWS: Final = 200
MOST_COLUMNS: Final = 100
MOST_JSON: Final = 1024**2
_MOST_LAID_OUT: Final = 2 * 1024**2
_MOST_CELL: Final = 500
_MOST_BYTES: Final = 2048
_MOST_OBJECTS: Final = 200
_DELIMITERS: Final = "\t,;|"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One view: text, or rows below headings, with a sentence on what is left out.

    `start` and `following` are places in the content, of the stretch and of what comes behind it.
    """

    view: Kind
    text: str = ""
    headings: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""
    start: int = 0
    following: int | None = None


def shown(view: Kind, source: Source, name: str, start: int = 0) -> Shown:
    """Return a view of content, from a place on if it is text or bytes.

    Raises:
        UnreadableError: it cannot be shown so; the text says why.
    """
    match view:
        case Kind.TABLE:
            return _table(source, name)
        case Kind.JSON:
            return _json(source)
        case Kind.JSON_LINES:
            return _json_lines(source)
        case Kind.TEXT:
            return _text(source, start)
        case _:
            return _bytes(source, start)


def _text(source: Source, start: int) -> Shown:
    source.skip(start)
    head = source.read(WINDOW + 1)
    piece, has_more = head[:WINDOW], len(head) > WINDOW
    if has_more:
        end = piece.rfind(b"\n") + 1
        piece = piece[: end if end > WINDOW // 2 else _whole_characters(piece)]
    text = decoded(piece)
    if text is None:
        text = piece.decode("utf-8", "replace")
    return Shown(view=Kind.TEXT, text=_clean(text), start=start, following=start + len(piece) if has_more else None)


def _table(source: Source, name: str) -> Shown:
    head = source.read(MOST_JSON)
    text = _required(head, "a table")
    is_cut = len(head) == MOST_JSON
    lines = text.splitlines(keepends=True)
    delimiter = "\t" if ".tsv" in name.lower() else max(_DELIMITERS, key=(lines or [""])[0].count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines[:-1] if is_cut and len(lines) > 1 else lines, delimiter=delimiter):
            if len(rows) > MOST_ROWS:
                is_cut = True
                break
            rows.append([_cell(one) for one in row[:MOST_COLUMNS]])
    except csv.Error as error:
        raise UnreadableError(f"This is no table: row {len(rows) + 1}, {error}. Look at it as text.") from error
    headings = rows.pop(0) if rows and _is_heading(rows[0]) else []
    notes = [f"The first {len(rows[:MOST_ROWS])} rows are shown."] if is_cut or len(rows) > MOST_ROWS else []
    if any(len(row) == MOST_COLUMNS for row in rows):
        notes.append(f"Of each row the first {MOST_COLUMNS} columns are shown.")
    width = max(map(len, [headings, *rows]), default=0)
    if not headings:
        headings = [str(number + 1) for number in range(width)]
    return Shown(view=Kind.TABLE, headings=headings, rows=rows[:MOST_ROWS], note=" ".join(notes))


def _json(source: Source) -> Shown:
    head = source.read(MOST_JSON + 1)
    if len(head) > MOST_JSON:
        raise UnreadableError("JSON of more than 1 MiB is not laid out. Look at it as text, or download it.")
    text, note = _laid_out(_parsed(_required(head, "JSON"), ""), _MOST_LAID_OUT)
    return Shown(view=Kind.JSON, text=text, note=note)


def _json_lines(source: Source) -> Shown:
    head = source.read(MOST_JSON)
    lines = _required(head, "JSON").splitlines()
    is_cut = len(head) == MOST_JSON
    if is_cut:
        lines.pop()
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    pieces: list[str] = []
    left = _MOST_LAID_OUT
    for number, line in filled[:_MOST_OBJECTS]:
        text, _ = _laid_out(_parsed(line, f"line {number}: "), left)
        pieces.append(text)
        left -= len(text)
    is_cut = is_cut or len(filled) > _MOST_OBJECTS
    return Shown(
        view=Kind.JSON_LINES, text="\n".join(pieces), note=f"The first {len(pieces)} lines are shown." if is_cut else ""
    )


def _bytes(source: Source, start: int) -> Shown:
    source.skip(start)
    head = source.read(_MOST_BYTES + 1)
    lines = []
    for place in range(0, len(head[:_MOST_BYTES]), 16):
        piece = head[place : min(place + 16, _MOST_BYTES)]
        figures = f"{piece[:8].hex(' ')}  {piece[8:].hex(' ')}".ljust(49)
        letters = "".join(chr(one) if 32 <= one < 127 else "." for one in piece)
        lines.append(f"{start + place:08x}  {figures} {letters}")
    following = start + _MOST_BYTES if len(head) > _MOST_BYTES else None
    return Shown(view=Kind.BYTES, text="\n".join(lines), start=start, following=following)


def _required(head: bytes, what: str) -> str:
    text = decoded(head)
    if text is None:
        raise UnreadableError(f"This is no {what.removeprefix('a ')}: it is not even text.")
    return text


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise UnreadableError(f"This JSON is nested too deeply to be laid out ({where or 'as a whole'}).") from error
    except ValueError as error:
        raise UnreadableError(f"This is no JSON: {where}{error}. Look at it as text.") from error


def _laid_out(document: Any, most: int) -> tuple[str, str]:
    pieces: list[str] = []
    left = most
    try:
        for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(document):
            left -= len(piece)
            if left < 0:
                return _clean("".join(pieces)), "The rest is left out: laid out it is too long."
            pieces.append(piece)
    except RecursionError as error:
        raise UnreadableError("This JSON is nested too deeply to be laid out. Look at it as text.") from error
    return _clean("".join(pieces)), ""


def _is_heading(row: list[str]) -> bool:
    return all(one.strip() and not _is_number(one) for one in row) and len(set(row)) == len(row)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cell(text: str) -> str:
    return _clean(text if len(text) <= _MOST_CELL else f"{text[:_MOST_CELL]}...")


def _clean(text: str) -> str:
    """Return text that can be sent: JSON may hold halves of characters, and no page may hold NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _whole_characters(piece: bytes) -> int:
    """Return the length of UTF-8 without a character that was cut off at its end."""
    for back in range(1, 4):
        if piece[-back] >= 0xC0:
            return len(piece) - back
        if piece[-back] < 0x80:
            break
    return len(piece)
