"""The server: frames in by UDP and TCP, each answered when what it says is safe.

What is under way is bounded: a TCP connection that has sent enough is not read from until some of it is
confirmed, and a datagram that comes when too much is under way is dropped, as the network might have done:
its tracker sends it again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from examples.tracker_server import protocol
from examples.tracker_server.events import Network, message
from examples.tracker_server.protocol import Frame, Framer, Malformed
from examples.tracker_server.publishing import Unconfirmed

Publish = Callable[[bytes, dict[str, str]], Awaitable[None]]
log = logging.getLogger("tracker_server")
_ANSWER_BYTES = 16_384


@dataclass(frozen=True)
class Limits:
    """How much one server takes on. Seconds, frames, bytes."""

    # Of a connection that says nothing, and of one that leaves a frame half said.
    idle_seconds: float = 300.0
    frame_seconds: float = 30.0
    # For a tracker that does not take its answers.
    answer_seconds: float = 10.0
    # Under way at once: of one connection, and of all datagrams.
    connection_frames: int = 16
    datagram_frames: int = 1_000
    connections: int = 5_000
    # Bytes without a frame in them, after which a connection speaks something else.
    garbage_bytes: int = 4_096


class Server:
    """One server. ``publish`` returns when a message is safe, and raises Unconfirmed where that is not known.

    ``counts``: frames that were ``stored``, ``refused`` (no report), ``unconfirmed``; datagrams that were
    ``damaged``, ``dropped``; connections that the server ``closed``, ``turned_away``, and that were ``lost``.
    """

    def __init__(self, network: Network, publish: Publish, limits: Limits = Limits()) -> None:
        self.counts: Counter[str] = Counter()
        self._network = network
        self._publish = publish
        self._limits = limits
        self._datagrams: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._draining = asyncio.Event()
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None

    async def start(self, host: str, udp_port: int, tcp_port: int) -> tuple[int, int]:
        """Listen; the ports, of which 0 asks for any free one."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (host, udp_port))
        self._tcp = await asyncio.start_server(self._connected, host, tcp_port, limit=protocol.MAX_FRAME)
        return self._udp.get_extra_info("sockname")[1], self._tcp.sockets[0].getsockname()[1]

    async def drain(self, seconds: float = 25.0) -> None:
        """Take nothing more, answer what is under way, and end; what takes longer is left unanswered."""
        self._draining.set()
        if self._tcp is not None:
            self._tcp.close()
        under_way = [*self._datagrams, *self._connections]
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            await self._tcp.wait_closed()

    # A frame

    async def _answer(self, frame: Frame) -> bytes | None:
        """The acknowledgement that a frame gets; None where its tracker has to send it again."""
        try:
            data, attributes = message(frame, self._network, time.time_ns() // 1_000_000)
        except Malformed as error:
            # Sent again it would be the same: the tracker is told, so that it goes on with the next.
            self.counts["refused"] += 1
            log.warning("tracker %d, frame %d refused: %s", frame.tracker, frame.sequence, error)
            return protocol.acknowledgement(frame, protocol.REFUSED)
        try:
            await self._publish(data, attributes)
        except Unconfirmed as error:
            self.counts["unconfirmed"] += 1
            log.error("tracker %d, frame %d unconfirmed: %s", frame.tracker, frame.sequence, error)
            return None
        self.counts["stored"] += 1
        return protocol.acknowledgement(frame, protocol.STORED)

    # UDP

    def datagram(self, data: bytes, address: Any) -> None:
        """A datagram has come."""
        frame = protocol.decode(data)
        if frame is None:
            self.counts["damaged"] += 1
        elif self._draining.is_set() or len(self._datagrams) >= self._limits.datagram_frames:
            self.counts["dropped"] += 1
        else:
            task = asyncio.get_running_loop().create_task(self._reply(frame, address))
            self._datagrams.add(task)
            task.add_done_callback(self._datagrams.discard)

    async def _reply(self, frame: Frame, address: Any) -> None:
        answer = await self._answer(frame)
        if answer is not None and self._udp is not None:
            self._udp.sendto(answer, address)

    # TCP

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._draining.is_set() or len(self._connections) >= self._limits.connections:
            self.counts["turned_away"] += 1
            writer.close()
            return
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        # A tracker has little to be told: who takes no answers is found out soon, and costs little.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ANSWER_BYTES)
        writer.transport.set_write_buffer_limits(high=_ANSWER_BYTES)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            log.warning("closed a connection at the end, though it was waiting for answers")
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer, free = Framer(), asyncio.Semaphore(self._limits.connection_frames)
        async with asyncio.TaskGroup() as answering:
            while data := await self._read(reader, framer.partial):
                frames = framer.feed(data)
                if frames:
                    framer.skipped = 0
                for frame in frames:
                    await free.acquire()
                    if writer.transport.is_closing():
                        return
                    answering.create_task(self._acknowledge(frame, writer, free))
                if framer.skipped > self._limits.garbage_bytes:
                    self.counts["closed"] += 1
                    log.warning("closed a connection after %d bytes without a frame", framer.skipped)
                    return

    async def _read(self, reader: asyncio.StreamReader, partial: bool) -> bytes:
        """What a connection says next; nothing at its end, after too long a silence, and when all ends."""
        reading = asyncio.ensure_future(reader.read(protocol.MAX_FRAME))
        draining = asyncio.ensure_future(self._draining.wait())
        seconds = self._limits.frame_seconds if partial else self._limits.idle_seconds
        try:
            await asyncio.wait((reading, draining), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            if not self._draining.is_set():
                self.counts["closed"] += 1
            return b""
        except OSError:
            self.counts["lost"] += 1  # what was stored, and whose answer did not arrive, comes again
            return b""
        finally:
            reading.cancel()
            draining.cancel()

    async def _acknowledge(self, frame: Frame, writer: asyncio.StreamWriter, free: asyncio.Semaphore) -> None:
        try:
            answer = await self._answer(frame)
            if answer is not None and not writer.transport.is_closing():
                writer.write(answer)
                async with asyncio.timeout(self._limits.answer_seconds):
                    await writer.drain()
        except OSError:
            # It takes no answers: it is gone, or acts as if it were.
            if not writer.transport.is_closing():
                self.counts["closed"] += 1
            writer.transport.abort()
        finally:
            free.release()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Server) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._server.datagram(data, addr)
