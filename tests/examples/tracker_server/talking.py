"""Trackers for tests, over both ways in."""

from __future__ import annotations

import asyncio
from typing import Any

from examples.tracker_server import protocol
from examples.tracker_server.protocol import REPORT, Frame, Framer, Record

SECONDS = 20.0


def report(sequence: int, tracker: int = 17, records: int = 1) -> bytes:
    """A report."""
    found = [
        Record(1_790_000_000 + sequence * 300 + n, (59.9, 10.7), 42.5, 181.0, 3.7, False)
        for n in range(records)
    ]
    return protocol.encode(Frame(REPORT, tracker, sequence, protocol.encode_records(found)))


def answer(sequence: int, tracker: int = 17, status: int = protocol.STORED) -> Frame:
    """What acknowledges it."""
    return Frame(protocol.ACK, tracker, sequence, bytes([status]))


class Udp(asyncio.DatagramProtocol):
    """A tracker that sends datagrams."""

    def __init__(self) -> None:
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self._transport: Any = None

    async def open(self, port: int) -> Udp:
        """Send to a port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, remote_addr=("127.0.0.1", port)
        )
        return self

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._answers.put_nowait(data)

    def send(self, data: bytes) -> None:
        """One datagram."""
        self._transport.sendto(data)

    async def answer(self) -> Frame | None:
        """The next answer."""
        return protocol.decode(await asyncio.wait_for(self._answers.get(), SECONDS))

    def silent(self) -> bool:
        """Whether nothing has come."""
        return self._answers.empty()

    def close(self) -> None:
        """End."""
        self._transport.close()


class Tcp:
    """A tracker with a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._framer, self._answers = Framer(), list[Frame]()

    @classmethod
    async def open(cls, port: int) -> Tcp:
        """Connect to a port."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, data: bytes) -> None:
        """Some bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Frame:
        """The next answer; ConnectionError where the server has ended the connection."""
        while not self._answers:
            data = await asyncio.wait_for(self.reader.read(4_096), SECONDS)
            if not data:
                raise ConnectionError
            self._answers += self._framer.feed(data)
        return self._answers.pop(0)

    async def ended(self) -> bytes:
        """Wait for the server to end the connection; what it said before."""
        return await asyncio.wait_for(self.reader.read(), SECONDS)

    def close(self) -> None:
        """End."""
        self.writer.close()
