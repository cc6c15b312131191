"""The server with whatever trackers and networks do to it, and a Pub/Sub that a test holds back."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from examples.tracker_server import protocol
from examples.tracker_server.events import Network
from examples.tracker_server.protocol import Frame
from examples.tracker_server.publishing import Unconfirmed
from examples.tracker_server.server import Limits, Server
from tests.examples.tracker_server.talking import SECONDS, Tcp, Udp, answer, report

GARBAGE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Site:
    """A server, its trackers, and what it publishes."""

    def __init__(self) -> None:
        self.published: list[list[dict[str, Any]]] = []
        self.down = False
        self.confirming = asyncio.Event()
        self.confirming.set()
        self.server = Server(Network("trackers", "serial", "farm"), self._publish)
        self._ports = (0, 0)
        self._open: list[Udp | Tcp] = []

    async def start(self, limits: Limits | None = None) -> Site:
        self.server = Server(Network("trackers", "serial", "farm"), self._publish, limits or Limits())
        self._ports = await self.server.start("127.0.0.1", 0, 0)
        return self

    async def _publish(self, data: bytes, attributes: dict[str, str]) -> None:
        self.published.append(json.loads(data))
        await self.confirming.wait()
        if self.down:
            raise Unconfirmed("down")

    @property
    def tcp_port(self) -> int:
        return self._ports[1]

    async def udp(self) -> Udp:
        made = await Udp().open(self._ports[0])
        self._open.append(made)
        return made

    async def tcp(self) -> Tcp:
        made = await Tcp.open(self.tcp_port)
        self._open.append(made)
        return made

    async def until(self, check: Callable[[], Any]) -> None:
        async with asyncio.timeout(SECONDS):
            while not check():  # noqa: ASYNC110 what is looked at tells nobody
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self.confirming.set()
        await self.server.drain()
        for one in self._open:
            one.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    yield made
    await made.stop()


async def test_a_report_is_acknowledged_when_it_is_confirmed_and_not_before(site: Site) -> None:
    await site.start()
    udp, tcp = await site.udp(), await site.tcp()
    site.confirming.clear()
    udp.send(report(1))
    await tcp.send(report(2, tracker=18))
    await site.until(lambda: len(site.published) == 2)
    hearing = asyncio.ensure_future(tcp.answer())
    await asyncio.sleep(0.05)
    assert udp.silent()
    assert not hearing.done()
    site.confirming.set()
    assert await udp.answer() == answer(1)
    assert await hearing == answer(2, tracker=18)
    assert site.server.counts == {"stored": 2}


async def test_what_is_not_confirmed_is_not_acknowledged_and_comes_again(site: Site) -> None:
    await site.start()
    udp, tcp = await site.udp(), await site.tcp()
    site.down = True
    udp.send(report(1))
    await tcp.send(report(1))
    await site.until(lambda: site.server.counts["unconfirmed"] == 2)
    assert udp.silent()
    site.down = False
    # The tracker hears nothing and sends again: it is the same event to the platform.
    udp.send(report(1))
    await tcp.send(report(1))
    assert (await udp.answer(), await tcp.answer()) == (answer(1), answer(1))
    assert len({(event["id"], event["hash"]) for events in site.published for event in events}) == 1


async def test_a_repeated_report_is_published_and_acknowledged_again(site: Site) -> None:
    await site.start()
    tcp = await site.tcp()
    await tcp.send(report(7) * 3)
    assert [await tcp.answer() for _ in range(3)] == [answer(7)] * 3
    assert len({events[0]["id"] for events in site.published}) == 1


async def test_what_is_no_report_is_refused_for_good(site: Site) -> None:
    await site.start()
    udp, tcp = await site.udp(), await site.tcp()
    unknown = protocol.encode(Frame(9, 17, 4, b"?"))
    udp.send(unknown)
    await tcp.send(unknown + report(5))
    refused = answer(4, status=protocol.REFUSED)
    assert await udp.answer() == refused
    # The stream goes on behind it; answers come in any order.
    found = [await tcp.answer(), await tcp.answer()]
    assert sorted(found, key=lambda frame: frame.sequence) == [refused, answer(5)]
    assert len(site.published) == 1


async def test_damaged_datagrams_are_passed_over(site: Site) -> None:
    await site.start()
    udp = await site.udp()
    whole = report(1)
    for data in (GARBAGE, whole[:-1], whole + b"x", whole[:-1] + b"\x00\x00", whole + whole):
        udp.send(data)
    udp.send(whole)
    assert await udp.answer() == answer(1)
    assert udp.silent()
    assert site.server.counts == {"damaged": 5, "stored": 1}


async def test_a_stream_finds_back_behind_garbage_and_damage(site: Site) -> None:
    await site.start()
    tcp = await site.tcp()
    damaged = bytearray(report(2))
    damaged[20] ^= 1
    await tcp.send(GARBAGE + report(1) + bytes(damaged) + report(3))
    assert [(await tcp.answer()).sequence for _ in range(2)] == [1, 3]


async def test_a_connection_of_garbage_is_closed(site: Site) -> None:
    await site.start()
    tcp, other = await site.tcp(), await site.tcp()
    await tcp.send(GARBAGE * 200)
    assert await tcp.ended() == b""
    await other.send(report(1))
    assert await other.answer() == answer(1)
    assert site.server.counts["closed"] == 1


async def test_half_a_report_waits_for_its_rest_without_keeping_others_up(site: Site) -> None:
    await site.start()
    slow, other = await site.tcp(), await site.tcp()
    whole = report(1, records=3)
    for byte in whole[:-1]:
        await slow.send(bytes([byte]))
    await other.send(report(2))
    assert await other.answer() == answer(2)
    await slow.send(whole[-1:])
    assert await slow.answer() == answer(1)


async def test_half_a_report_that_stays_half_and_silence_end_a_connection(site: Site) -> None:
    await site.start(Limits(idle_seconds=1.0, frame_seconds=0.1))
    half, silent = await site.tcp(), await site.tcp()
    await half.send(report(1)[:-3])
    assert await half.ended() == b""
    assert site.server.counts["closed"] == 1
    assert await silent.ended() == b""
    assert site.server.counts["closed"] == 2
    assert site.published == []


async def test_a_connection_that_ends_in_the_middle_is_nothing_special(site: Site) -> None:
    await site.start()
    tcp, other = await site.tcp(), await site.tcp()
    site.confirming.clear()
    await tcp.send(report(1) + report(2)[:5])
    await site.until(lambda: site.published)
    tcp.writer.transport.abort()
    site.confirming.set()
    await other.send(report(3))
    assert await other.answer() == answer(3)
    await site.until(lambda: site.server.counts["stored"] == 2)


async def test_a_connection_is_read_no_faster_than_it_is_confirmed(site: Site) -> None:
    await site.start(Limits(connection_frames=4))
    tcp = await site.tcp()
    site.confirming.clear()
    await tcp.send(b"".join(report(n) for n in range(40)))
    await site.until(lambda: len(site.published) == 4)
    await asyncio.sleep(0.05)
    assert len(site.published) == 4
    site.confirming.set()
    assert {(await tcp.answer()).sequence for _ in range(40)} == set(range(40))


async def test_a_tracker_that_takes_no_answers_is_left(site: Site) -> None:
    await site.start(Limits(answer_seconds=0.1))
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.setblocking(False)
        await asyncio.get_running_loop().sock_connect(deaf, ("127.0.0.1", site.tcp_port))
        # It never reads: in the end neither side's buffers take any more answers.
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(_send_for_ever(deaf, report(1) * 5_000), SECONDS)
    assert site.server.counts["closed"] == 1
    other = await site.tcp()
    await other.send(report(1))
    assert await other.answer() == answer(1)


async def _send_for_ever(deaf: socket.socket, data: bytes) -> None:
    while True:
        await asyncio.get_running_loop().sock_sendall(deaf, data)


async def test_datagrams_that_are_too_many_are_dropped_and_come_again(site: Site) -> None:
    await site.start(Limits(datagram_frames=2))
    udp = await site.udp()
    site.confirming.clear()
    for number in range(5):
        udp.send(report(number))
    await site.until(lambda: site.server.counts["dropped"] == 3)
    site.confirming.set()
    first = {(await udp.answer() or answer(9)).sequence for _ in range(2)}
    for number in {*range(5)} - first:
        udp.send(report(number))
        assert await udp.answer() == answer(number)


async def test_connections_that_are_too_many_are_turned_away(site: Site) -> None:
    await site.start(Limits(connections=1))
    tcp = await site.tcp()
    await tcp.send(report(1))
    assert await tcp.answer() == answer(1)
    assert await (await site.tcp()).ended() == b""
    assert site.server.counts["turned_away"] == 1


async def test_the_end_waits_for_what_is_under_way_and_takes_nothing_more(site: Site) -> None:
    await site.start()
    udp, tcp, idle = await site.udp(), await site.tcp(), await site.tcp()
    site.confirming.clear()
    udp.send(report(1))
    await tcp.send(report(2))
    await idle.send(report(3)[:4])
    await site.until(lambda: len(site.published) == 2)
    draining = asyncio.ensure_future(site.server.drain())
    assert await idle.ended() == b""
    udp.send(report(4))
    await site.until(lambda: site.server.counts["dropped"] == 1)
    assert not draining.done()
    site.confirming.set()
    assert (await udp.answer(), await tcp.answer()) == (answer(1), answer(2))
    assert await tcp.ended() == b""
    await draining
    with pytest.raises(ConnectionError):
        await site.tcp()
    assert len(site.published) == 2


async def test_the_end_does_not_wait_for_ever(site: Site) -> None:
    await site.start()
    udp, tcp = await site.udp(), await site.tcp()
    site.confirming.clear()
    udp.send(report(1))
    await tcp.send(report(2))
    await site.until(lambda: len(site.published) == 2)
    await site.server.drain(0.05)
    assert udp.silent()
    assert await tcp.ended() == b""
