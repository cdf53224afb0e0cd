"""S3's XML, written from plain values and read into elements without namespaces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape, quoteattr

from .errors import malformed_xml

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
ATTRIBUTES: Final = "@"
"""The member of a mapping that holds an element's attributes."""

_HEADER: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
# A key may hold what XML cannot; S3 writes such characters as references all the same.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")


def document(name: str, content: Any, namespace: str = NAMESPACE) -> bytes:
    """Return a document. A list makes an element of each of its items, None none, a mapping nested ones."""
    attributes = {"xmlns": namespace} if namespace else {}
    return (_HEADER + element(name, content, attributes)).encode("utf-8", "surrogatepass")


def element(name: str, content: Any, attributes: Mapping[str, str] | None = None) -> str:
    if content is None:
        return ""
    if isinstance(content, list | tuple):
        return "".join(element(name, item, attributes) for item in content)
    written = dict(attributes or {})
    if isinstance(content, Mapping):
        written |= content.get(ATTRIBUTES, {})
        inner = "".join(element(child, value) for child, value in content.items() if child != ATTRIBUTES)
    elif isinstance(content, bool):
        inner = "true" if content else "false"
    else:
        inner = _CONTROL.sub(lambda found: f"&#x{ord(found[0]):x};", escape(str(content)))
    return f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in written.items())}>{inner}</{name}>"


def parse(text: bytes, name: str) -> Element:
    """Read a document whose root has this name.

    Raises:
        S3Error: MalformedXML.
    """
    try:
        root = fromstring(text)  # noqa: S314  # expat refuses entity bombs by itself
    except (ParseError, ValueError) as error:
        raise malformed_xml() from error
    for one in root.iter():
        one.tag = one.tag.rpartition("}")[2]
    if root.tag != name:
        raise malformed_xml()
    return root


def required(parent: Element, name: str) -> str:
    """Return the text of a child that must be there."""
    text = parent.findtext(name)
    if text is None:
        raise malformed_xml()
    return text
