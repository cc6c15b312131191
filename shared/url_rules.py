"""Which URLs the platform may call for its users: none that leads into the network that it runs in. Pure.

A URL is http or https, names a host, and has no user and password in it. A host in numbers must be written in
the usual form: ``127.1``, ``0177.0.0.1`` and ``2130706433`` are other names of an address for some. Of a host
in letters each address that its name leads to is judged, when the connection is made (``clients.outside``).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from shared.errors import Rejected

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2_000
# The last label of a host decides whether it is meant as a number: 1, 0x7f, 0177.
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)\Z")
_NAMES = re.compile(r"(?=.{1,253}\Z)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+\Z")
# Names that a cloud answers inside its own network alone.
_INSIDE = ("localhost", "internal", "local", "localdomain")
# Addresses of IPv6 that carry one of IPv4 to which they lead: NAT64, and 6to4.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Not public, though Python, or some release of it, calls them so: for protocols among routers, the private
# networks of IPv6 as they were at first, and what stands in documents.
_NOT_PUBLIC = (
    *(ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24")),
    *(ipaddress.IPv6Network("fec0::/10"), ipaddress.IPv6Network("3fff::/20")),
)


def check_url(url: str, allowed: Iterable[Network] = ()) -> None:
    """Rejected (``url.invalid``, ``url.private``) for a URL that may not be called."""
    if len(url) > MAX_URL or not url.isascii() or any(c.isspace() or c < " " for c in url) or "\\" in url:
        raise Rejected("url.invalid", f"a URL has at most {MAX_URL} printable ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Rejected("url.invalid", f"no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise Rejected("url.invalid", "a URL begins with http:// or https:// and names a host")
    if "@" in parts.netloc:
        raise Rejected("url.invalid", "a URL holds no user and password: send a header")
    if (address := literal(host)) is not None:
        check_address(address, allowed)
    elif host.rstrip(".").rpartition(".")[2].lower() in _INSIDE:
        raise Rejected("url.private", "the host is a name of the platform's own network")


def literal(host: str) -> Address | None:
    """The address that a host is in numbers; None for a name. Rejected for a number in an unusual form."""
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host)
        except ValueError:
            raise Rejected("url.invalid", "the host is no address") from None
    if _NUMBER.match(host.rstrip(".").rpartition(".")[2]):
        try:
            return ipaddress.IPv4Address(host)
        except ValueError:
            raise Rejected("url.private", "the host is a number in an unusual form") from None
    if not _NAMES.match(host):
        raise Rejected("url.invalid", "the host is no name")
    return None


def check_address(address: Address, allowed: Iterable[Network] = ()) -> None:
    """Rejected (``url.private``) for an address that is not one of the public Internet, nor ``allowed``."""
    for one in (address, *_carried(address)):
        if any(one.version == network.version and one in network for network in allowed):
            continue
        within = any(one.version == network.version and one in network for network in _NOT_PUBLIC)
        if within or not one.is_global or one.is_multicast or one.is_reserved:
            raise Rejected("url.private", "the address is none of the public Internet")


def networks(text: str) -> tuple[Network, ...]:
    """Networks from a setting such as ``10.1.0.0/16, fd00::/8``; ValueError for anything else."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _carried(address: Address) -> Iterable[Address]:
    """The addresses of IPv4 to which one of IPv6 leads."""
    if not isinstance(address, ipaddress.IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
