"""What the platform calls for its users: nothing private, under whatever name, nothing without an end."""

from __future__ import annotations

import asyncio
import ipaddress
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpcore
import pytest

from shared import url_rules
from shared.clients import outside
from shared.errors import Rejected, Transient

PUBLIC = "93.184.215.14"
PRIVATE = [
    *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "192.168.1.1"),
    *(
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ),
    *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("fec0::1", "feff:ffff::1", "3fff::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1"),
]
# Other names of 127.0.0.1 and 169.254.169.254: decimal, octal, hexadecimal, short.
ODD = [
    *("2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "127.0.1", "017700000001", "0"),
    *("2852039166", "0251.0376.0251.0376", "0xa9fea9fe", "127.0.0.01", "1.2.3.4.5", "256.1.1.1", "a.0x7f"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_may_be_called(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    for url in (f"http://{host}/", f"https://{host}:8443/x?y"):
        with pytest.raises(Rejected) as caught:
            url_rules.check_url(url)
        assert caught.value.error_type == "url.private"


@pytest.mark.parametrize("host", [*ODD, "localhost", "LOCALHOST.", "a.localhost", "metadata.google.internal"])
def test_no_other_name_of_one_may_be_called(host: str) -> None:
    with pytest.raises(Rejected) as caught:
        url_rules.check_url(f"http://{host}/")
    assert caught.value.error_type == "url.private"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "ftp://example.com",
            "file:///etc/passwd",
            "http://",
            "http:///x",
            "//example.com",
            "http://[::1",
        ),
        *(
            "http://user:pw@example.com/",
            "http://example.com@127.0.0.1/",
            "http://a b/",
            "http://ex\nample.com",
        ),
        *("http://exämple.com/", "http://example.com:0/", "http://example.com:99999/", "http://a\\b/"),
        *("http://%31%32%37.0.0.1/", "http://[fe80::1%eth0]/", "http://-a.com/", "x" * 2_001),
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Rejected):
        url_rules.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook?a=1#b",
        f"http://{PUBLIC}:8080",
        "http://[2606:2800:21f::1]/",
        "http://a_b.de.",
    ],
)
def test_the_public_internet_may_be_called(url: str) -> None:
    url_rules.check_url(url)


def test_a_network_may_be_allowed_by_name() -> None:
    allowed = url_rules.networks("10.1.0.0/16, fd00::/8")
    url_rules.check_url("http://10.1.2.3/", allowed)
    url_rules.check_url("http://[fd00::1]/", allowed)
    for host in ("10.2.0.1", "127.0.0.1"):
        with pytest.raises(Rejected):
            url_rules.check_url(f"http://{host}/", allowed)
    with pytest.raises(ValueError, match="does not appear"):
        url_rules.networks("10.1")


class Web:
    """A web server on loopback that stands for whatever public address is connected to."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.requests: list[bytes] = []
        self.connected: list[str] = []
        self.resolved: list[str] = []
        self.names: dict[str, list[list[str]]] = {"example.com": [[PUBLIC]]}
        self.held = asyncio.Event()
        self._port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-l")), 0
        )
        self.requests.append(head + await reader.readexactly(length))
        path = head.split(b" ")[1].decode()
        if path == "/slow":
            await self.held.wait()
        writer.write(self.answers.get(path, b"HTTP/1.1 204 No Content\r\n\r\n"))
        writer.close()

    async def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def connect(self, address: str, port: int) -> Any:
        self.connected.append(address)
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self._port)

    async def send(self, method: str, url: str, **more: Any) -> outside.Answer:
        headers = more.pop("headers", {})
        return await outside.request(method, url, headers, resolve=self.resolve, connect=self.connect, **more)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    made = Web()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made._port = server.sockets[0].getsockname()[1]
    yield made
    made.held.set()
    server.close()
    await server.wait_closed()


def _redirect(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_a_request_goes_out_as_it_was_asked_for(web: Web) -> None:
    web.answers["/hook?a=1"] = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
    headers = {"Authorization": "Bearer x", "Host": "evil", "Content-Length": "999"}
    found = await web.send("PUT", "http://example.com/hook?a=1", headers=headers, body=b"body")
    assert (found.status, found.body) == (201, b"ok")
    (sent,) = web.requests
    assert sent.startswith(b"PUT /hook?a=1 HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\nbody")
    assert b"authorization: bearer x" in sent.lower()
    assert b"host: example.com" in sent.lower()
    assert b"evil" not in sent


async def test_a_name_that_changes_its_answer_is_asked_once(web: Web) -> None:
    web.names["example.com"] = [[PUBLIC], ["127.0.0.1"]]
    assert (await web.send("GET", "http://example.com/")).status == 204
    assert (web.resolved, web.connected) == (["example.com"], [PUBLIC])


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], [PUBLIC, "169.254.169.254"], ["::ffff:10.0.0.1"], ["fe80::1%1"]]
)
async def test_a_name_that_leads_to_a_private_address_is_refused(web: Web, answers: list[str]) -> None:
    web.names["example.com"] = [answers]
    with pytest.raises(Rejected) as caught:
        await web.send("GET", "http://example.com/")
    assert caught.value.error_type == "url.private"
    assert web.connected == []


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/x",
        "http://[::1]/",
        "http://2130706433/",
        "http://inside.de/",
    ],
)
async def test_a_redirect_to_a_private_address_is_refused(web: Web, to: str) -> None:
    web.names["inside.de"] = [["10.0.0.7"]]
    web.answers["/"] = _redirect(to)
    with pytest.raises(Rejected) as caught:
        await web.send("GET", "http://example.com/")
    assert caught.value.error_type == "url.private"
    assert web.connected == [PUBLIC]


async def test_redirects_are_followed_a_few_times_and_keep_secrets_at_home(web: Web) -> None:
    web.names["other.de"] = [[PUBLIC]]
    web.answers |= {"/": _redirect("/b"), "/b": _redirect("http://other.de/c")}
    found = await web.send("POST", "http://example.com/", headers={"Authorization": "s3cret"}, body=b"x")
    assert (found.status, found.url) == (204, "http://other.de/c")
    assert b"s3cret" not in web.requests[2]
    # What a secret is called is for its owner to say.
    secret = {"X-Token": "s3cret", "api-key": "s3cret", "Content-Type": "text/plain"}
    for status, place in ((307, "http://other.de/c"), (308, "http://example.com:81/c")):
        web.requests.clear()
        web.answers |= {"/": _redirect("/b"), "/b": _redirect(place, status)}
        await web.send("PUT", "http://example.com/", headers=secret)
        assert [request.count(b"s3cret") for request in web.requests] == [2, 2, 0]
        assert b"text/plain" in web.requests[2]
    web.answers["/b"] = _redirect("/")
    with pytest.raises(Rejected) as caught:
        await web.send("GET", "http://example.com/")
    assert caught.value.error_type == "url.redirects"
    for place in ("file:///etc/passwd", "http://0177.0.0.1/", "http://127.1/", "http://[::1/", "http://a:b/"):
        web.answers["/"] = _redirect(place)
        web.connected.clear()
        with pytest.raises(Rejected):
            await web.send("GET", "http://example.com/")
        assert web.connected == [PUBLIC]
    web.answers["/"] = b"no HTTP\r\n\r\n"
    with pytest.raises(Transient):
        await web.send("GET", "http://example.com/")


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_what_is_to_arrive_whole_becomes_no_get(web: Web, status: int) -> None:
    web.answers |= {"/": _redirect("/b", status), "/c": _redirect("/b", 307)}
    with pytest.raises(Rejected, match="asks for GET in place of POST") as caught:
        await web.send("POST", "http://example.com/", body=b"x", whole=True)
    assert (caught.value.error_type, len(web.requests)) == ("url.redirects", 1)
    assert (await web.send("POST", "http://example.com/c", body=b"x", whole=True)).status == 204
    assert web.requests[-1].startswith(b"POST /b ")
    assert web.requests[-1].endswith(b"\r\n\r\nx")


async def test_of_headers_that_differ_in_case_alone_the_last_goes_out(web: Web) -> None:
    headers = {"Content-Type": "application/json", "content-type": "text/plain", "X-A": "1", "x-a": "2"}
    await web.send("GET", "http://example.com/", headers=headers)
    lines = web.requests[0].lower().split(b"\r\n")
    assert [line for line in lines if line.startswith((b"content-type", b"x-a"))] == [
        b"content-type: text/plain",
        b"x-a: 2",
    ]


async def test_what_a_redirect_says_beside_its_place_is_not_read(web: Web) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(200)), packer.flush()])
    head = f"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}"
    web.answers["/"] = f"{head}\r\n\r\n".encode() + packed
    tracemalloc.start()
    try:
        found = await web.send("GET", "http://example.com/")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found.status, found.url) == (204, "http://example.com/b")
    assert most < 20_000_000


@pytest.mark.parametrize("header", [{"X-A": "blåbær"}, {"X-A": "a\r\nX-B: b"}, {"X A": "b"}, {"": "b"}])
async def test_headers_that_http_cannot_carry_are_refused_for_good(web: Web, header: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        await web.send("GET", "http://example.com/", headers=header)
    assert caught.value.error_type == "url.header"
    assert web.connected == []


async def test_an_answer_without_end_and_one_that_never_comes_are_left(web: Web) -> None:
    web.answers["/large"] = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 3_000_000
    found = await web.send("GET", "http://example.com/large")
    assert len(found.body) == outside.MAX_BYTES
    assert found.headers["content-length"] == "9000000"
    found = await web.send("GET", "http://example.com/large", most=1_500_000)
    assert len(found.body) == 1_500_000
    with pytest.raises(Transient):
        await web.send("GET", "http://example.com/slow", seconds=0.2)


async def test_where_nobody_answers_it_may_be_tried_again() -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        return []

    async def refused(address: str, port: int) -> Any:
        raise httpcore.ConnectError("refused")

    async def there(host: str, port: int) -> list[str]:
        return [PUBLIC]

    with pytest.raises(Transient):
        await outside.request("GET", "http://example.com/", {}, resolve=nowhere)
    with pytest.raises(Transient):
        await outside.request("GET", "http://example.com/", {}, resolve=there, connect=refused)


async def test_without_anything_in_its_place_loopback_is_refused(web: Web) -> None:
    with pytest.raises(Rejected):
        await outside.request("GET", f"http://127.0.0.1:{web._port}/", {})
    allowed = [ipaddress.ip_network("127.0.0.0/8")]
    assert (await outside.request("GET", f"http://127.0.0.1:{web._port}/", {}, allowed=allowed)).status == 204
