"""Asks for pages as a browser without scripts does."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urljoin

import urllib3

_TOKEN = re.compile(r'name="token" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """A page: its address, status, text and headers."""

    url: str
    status: int
    body: bytes
    headers: urllib3.HTTPHeaderDict

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def seen(self) -> str:
        """The text as a person sees it: blanks in the place of tags, several as one."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.text)).split())


@dataclass(frozen=True)
class WebClient:
    """GET and POST below an address; redirects are followed."""

    base: str
    _pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: str) -> Answer:
        address = self.base + quote(path) + (f"?{urlencode(query)}" if query else "")
        return self._answer("GET", address, headers=headers)

    def post(self, path: str, token: str, **headers: str) -> Answer:
        return self._answer("POST", self.base + quote(path), fields={"token": token}, headers=headers)

    def token(self, path: str) -> str:
        """Return the token that the forms of a page have."""
        found = _TOKEN.search(self.get(path).text)
        assert found is not None, f"{path} has no form"
        return found[1]

    def _answer(self, method: str, address: str, **arguments: object) -> Answer:
        if arguments.get("fields"):
            arguments["encode_multipart"] = False
        answer = self._pool.request(method, address, timeout=60, redirect=False, retries=False, **arguments)  # type: ignore[arg-type]
        if answer.status in (302, 303):
            return self._answer("GET", urljoin(address, answer.headers["Location"]))
        return Answer(address, answer.status, answer.data, answer.headers)
