"""HTTP requests to URLs that users give: never into the platform's own network, never without an end.

A host's name is resolved once; if one of its addresses is none of the public Internet the request is refused,
otherwise it is connected to one of those that were looked at. So it is at each redirect. The time for all
together, the redirects and the bytes of the answer that are read have limits. No proxy is asked. Where a
redirect leads to another server, that is told no header that may hold a secret.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

from shared import url_rules
from shared.errors import Rejected, Transient
from shared.url_rules import Address, Network

SECONDS = 10.0
MAX_REDIRECTS = 3
MAX_BYTES = 1_000_000
_CONNECT_SECONDS = 5.0
# Headers that are HTTP's own, or the platform's.
_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})
# Headers that another server, to which a redirect leads, may have too.
_ANYWHERE = frozenset(
    {"accept", "accept-encoding", "content-type", "idempotency-key", "user-agent", "x-fulcrum-due"}
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}\Z")
_HEADER_VALUE = re.compile(r"[\t -~]*\Z")

Resolve = Callable[[str, int], Awaitable[list[str]]]
Connect = Callable[[str, int], Awaitable[Any]]


class Answer(NamedTuple):
    """What came back: the status, the first bytes of the body as they were sent, where the last redirect led.

    ``headers``: by their names in small letters.
    """

    status: int
    body: bytes
    url: str
    headers: Mapping[str, str] = {}


async def request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    allowed: Iterable[Network] = (),
    seconds: float = SECONDS,
    most: int = MAX_BYTES,
    whole: bool = False,
    resolve: Resolve | None = None,
    connect: Connect | None = None,
) -> Answer:
    """Send a request. Rejected for what may not be called or sent, Transient where nobody answers in time.

    ``allowed``: networks that may be called though they are not public. ``most``: bytes of the body that are
    read. ``whole``: a redirect that would have the request go on as a GET, without its body, is Rejected.
    ``resolve`` (host, port → addresses) and ``connect`` (address, port → a stream of httpcore): in place of
    the system's.
    """
    import httpcore
    import httpx

    networks = tuple(allowed)
    sent_headers = _checked_headers(headers)
    transport = httpx.AsyncHTTPTransport(trust_env=False, retries=0)
    backend = _backend(networks, resolve or _resolve, connect)
    # The way that httpcore has for another network; httpx hands it no such argument.
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=backend
    )
    timeout = httpx.Timeout(seconds, connect=_CONNECT_SECONDS)
    try:
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeout) as client,
        ):
            sent = client.build_request(method, url, headers=sent_headers, content=body)
            for _ in range(MAX_REDIRECTS + 1):
                url_rules.check_url(str(sent.url), networks)
                answer = await client.send(sent, stream=True)
                try:
                    if answer.next_request is None:
                        led, given = str(answer.url), dict(answer.headers)
                        return Answer(answer.status_code, await _read(answer, most), led, given)
                    # Followed here: httpx would read, and unpack, all that a redirect says beside its place.
                    sent = _redirected(sent, answer.next_request, sent_headers, whole)
                finally:
                    await answer.aclose()
            raise Rejected("url.redirects", f"more than {MAX_REDIRECTS} redirects")
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise Rejected("url.invalid", f"no URL: {error}") from None
    except httpx.RemoteProtocolError as error:
        # httpx takes a redirect to a host such as 0177.0.0.1 for a fault of the answer: the next has it, too.
        if "location header" in str(error):
            raise Rejected("url.invalid", f"the redirect leads to no URL: {error}") from None
        raise Transient(f"no answer: {type(error).__name__}") from error
    except (httpx.HTTPError, httpcore.NetworkError, httpcore.TimeoutException) as error:
        raise Transient(f"no answer: {type(error).__name__}") from error
    except TimeoutError:
        raise Transient(f"no answer within {seconds:g} s") from None


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that go out, each once; Rejected (``url.header``) for one that HTTP cannot carry.

    Of names that differ in case alone, which HTTP calls one, the last counts.
    """
    for name, value in headers.items():
        if not _HEADER_NAME.match(name) or not _HEADER_VALUE.match(value):
            raise Rejected("url.header", f"the header {name[:100]!r} is no printable ASCII")
    once = {name.lower(): (name, value) for name, value in headers.items() if name.lower() not in _OWN}
    return dict(once.values())


def _redirected(sent: Any, following: Any, headers: Mapping[str, str], whole: bool) -> Any:
    """The request that a redirect asks for, without what is no other server's to know."""
    if whole and following.method != sent.method:
        raise Rejected(
            "url.redirects",
            f"the redirect asks for {following.method} in place of {sent.method}: name its place",
        )
    # httpx itself takes away no more than Authorization and Cookie.
    if not _same_server(sent.url, following.url):
        for name in headers:
            if name.lower() not in _ANYWHERE:
                following.headers.pop(name, None)
    return following


def _same_server(one: Any, other: Any) -> bool:
    """Whether two URLs lead to one server; a move from http to https does."""
    if one.host != other.host:
        return False
    at, there = ((url.scheme, url.port) for url in (one, other))
    return at == there or (at == ("http", None) and there == ("https", None))


async def _read(answer: Any, most: int) -> bytes:
    """The first bytes of an answer's body as sent; the rest is not read."""
    found = bytearray()
    async for part in answer.aiter_raw():
        found += part
        if len(found) >= most:
            break
    return bytes(found[:most])


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise Transient(f"the host's name leads nowhere: {error}") from None
    return [str(entry[4][0]) for entry in found]


def _backend(allowed: tuple[Network, ...], resolve: Resolve, connect: Connect | None) -> Any:
    import httpcore

    class Checked(httpcore.AsyncNetworkBackend):
        """Connects to an address that was looked at, and to none that a second answer would give."""

        def __init__(self) -> None:
            self._below = httpcore.AnyIOBackend()

        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,  # noqa: ASYNC109 httpcore calls it so
            local_address: str | None = None,
            socket_options: Any = None,
        ) -> Any:
            address = await _address(host, port)
            if connect is not None:
                return await connect(address, port)
            return await self._below.connect_tcp(address, port, timeout)

        async def connect_unix_socket(self, path: str, *given: Any, **named: Any) -> Any:
            raise Rejected("url.invalid", "a URL leads to no socket of this machine")

        async def sleep(self, seconds: float) -> None:
            await self._below.sleep(seconds)

    async def _address(host: str, port: int) -> str:
        number = url_rules.literal(host)
        found: list[Address] = [number] if number is not None else []
        if number is None:
            # The zone of a link-local address is no part of it for ipaddress to judge.
            answers = await resolve(host, port)
            found = [ipaddress.ip_address(text.partition("%")[0]) for text in answers]
        if not found:
            raise Transient("the host's name leads nowhere")
        for address in found:
            url_rules.check_address(address, allowed)
        return str(found[0])

    return Checked()
