"""Where a request comes from, as far as that can be believed. Pure.

Each proxy appends to ``X-Forwarded-For`` the address that it saw; what stands before that, the client may
have written himself. Google's front end is the one proxy before a function, so its entry, the last one, is
the client (``TRUSTED_PROXIES`` = 1). Behind an external load balancer it is the last but one (2); without
any proxy (0) the connection's own address counts.
"""

from __future__ import annotations

import ipaddress

from starlette.requests import Request

from shared.config import settings

# Who has one IPv6 address has a whole /64.
_IPV6_PREFIX = 64
UNKNOWN = "unknown"


def network(request: Request) -> str:
    """The source network of a request: an IPv4 address, the /64 of an IPv6 address, or ``unknown``."""
    return of_address(address(request))


def address(request: Request) -> str:
    """The client's address, by the number of proxies that are trusted."""
    trusted = int(settings().number("TRUSTED_PROXIES", 1))
    hops = [
        hop.strip()
        for line in request.headers.getlist("x-forwarded-for")
        for hop in line.split(",")
        if hop.strip()
    ]
    if 0 < trusted <= len(hops):
        return hops[-trusted]
    return request.client.host if request.client else ""


def of_address(text: str) -> str:
    """The network of an address as text."""
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False).network_address) + "/64"
    return str(parsed)
