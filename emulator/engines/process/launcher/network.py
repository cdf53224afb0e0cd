"""A private network of a job's hosts: a bridge in a namespace, and a cable from it to each host. By netlink."""

from __future__ import annotations

import os
import socket
import struct
from types import TracebackType
from typing import Final, Self

BRIDGE: Final = "hosts"
INTERFACE: Final = "eth0"
LOOPBACK: Final = "lo"

_REQUEST: Final = 0x1
_ACKNOWLEDGE: Final = 0x4
_CREATE: Final = 0x400 | 0x200  # and it must not be there

_NEW_LINK: Final = 16
_NEW_ADDRESS: Final = 20
_ERROR: Final = 2
_UP: Final = 0x1

_IFLA_IFNAME: Final = 3
_IFLA_MASTER: Final = 10
_IFLA_LINKINFO: Final = 18
_IFLA_NET_NS_FD: Final = 28
_IFLA_INFO_KIND: Final = 1
_IFLA_INFO_DATA: Final = 2
_VETH_INFO_PEER: Final = 1
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2

_HEADER: Final = struct.Struct("=IHHII")
_LINK: Final = struct.Struct("=BxHiII")
_ADDRESS: Final = struct.Struct("=BBBBI")


class Links:
    """The network interfaces of the namespace in which this object is made; it stays with that one."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def add_bridge(self, name: str) -> None:
        """Make a bridge and switch it on."""
        body = _LINK.pack(0, 0, 0, _UP, _UP) + _text(_IFLA_IFNAME, name)
        self._ask(_NEW_LINK, _CREATE, body + _attribute(_IFLA_LINKINFO, _text(_IFLA_INFO_KIND, "bridge")))

    def add_cable(self, name: str, far_end: str, far_namespace: int) -> None:
        """Make a pair of interfaces, of which one is in the namespace of a descriptor."""
        peer = _LINK.pack(0, 0, 0, 0, 0) + _text(_IFLA_IFNAME, far_end)
        peer += _attribute(_IFLA_NET_NS_FD, struct.pack("=I", far_namespace))
        info = _text(_IFLA_INFO_KIND, "veth") + _attribute(_IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, peer))
        body = _LINK.pack(0, 0, 0, 0, 0) + _text(_IFLA_IFNAME, name) + _attribute(_IFLA_LINKINFO, info)
        self._ask(_NEW_LINK, _CREATE, body)

    def plug_in(self, port: str, bridge: int) -> None:
        """Join an interface to the bridge with this index, and switch it on."""
        master = _attribute(_IFLA_MASTER, struct.pack("=I", bridge))
        self._ask(_NEW_LINK, 0, _LINK.pack(0, 0, 0, _UP, _UP) + _text(_IFLA_IFNAME, port) + master)

    def switch_on(self, name: str) -> None:
        """Switch an interface on."""
        self._ask(_NEW_LINK, 0, _LINK.pack(0, 0, 0, _UP, _UP) + _text(_IFLA_IFNAME, name))

    def give_address(self, name: str, address: str, prefix: int) -> None:
        """Give an interface an IPv4 address."""
        packed = socket.inet_aton(address)
        body = _ADDRESS.pack(socket.AF_INET, prefix, 0, 0, socket.if_nametoindex(name))
        self._ask(_NEW_ADDRESS, _CREATE, body + _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed))

    def _ask(self, kind: int, flags: int, body: bytes) -> None:
        self._number += 1
        length = _HEADER.size + len(body)
        head = _HEADER.pack(length, kind, _REQUEST | _ACKNOWLEDGE | flags, self._number, 0)
        self._socket.send(head + body)
        answer = self._socket.recv(65536)
        _, kind, _, _, _ = _HEADER.unpack_from(answer)
        (code,) = struct.unpack_from("=i", answer, _HEADER.size)
        if kind != _ERROR or code != 0:
            raise OSError(-code, f"{os.strerror(-code)} (network)")


def _attribute(kind: int, content: bytes) -> bytes:
    length = 4 + len(content)
    return struct.pack("=HH", length, kind) + content + b"\0" * (-length % 4)


def _text(kind: int, text: str) -> bytes:
    return _attribute(kind, text.encode() + b"\0")
