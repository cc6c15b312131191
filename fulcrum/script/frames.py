"""What the host of a script and the process that runs it say to each other: JSON with its length before it.

The host sends a :class:`Setup`, then a :class:`Task` for each call. The process answers the first with
:class:`Hello`, before it has loaded any code of the customer's, and :class:`Ready` or :class:`Broken` after
it has; a task with a :class:`Done` for each event, before it begins the next.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import msgspec

from fulcrum.script import wire
from fulcrum.script.limits import Limits

# An outcome with all that a log and a failure may say besides.
MAX_FRAME = wire.MAX_OUTCOME_BYTES + 400_000
_LENGTH = 4
_SLICE = 0.1


class Setup(msgspec.Struct, frozen=True):
    """What a process is to run: the code's folder, its limits; ``temporary`` is its own to write in."""

    folder: str
    temporary: str
    version: int
    limits: Limits
    path: list[str]


class Task(msgspec.Struct, frozen=True):
    """A call. After ``until`` (ns of the monotonic clock) no further event is begun, except the first."""

    call: wire.Call
    until: int


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """How the process is isolated, and how it is not."""

    isolation: list[str]
    missing: list[str]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The code is loaded."""

    entries: list[wire.Entry]


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The code cannot be loaded; the process ends."""

    failure: wire.Failure
    file: str = ""
    line: int = 0


class Done(msgspec.Struct, frozen=True, tag="done", omit_defaults=True):
    """One event. ``busy``: threads of its are still there. ``last``: the process ends after it."""

    outcome: wire.Outcome
    busy: bool = False
    last: bool = False


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """Time is up: the events that are left were not begun."""


Said = Hello | Ready | Broken | Done | Stopped

encode = msgspec.json.Encoder().encode
decode_setup = msgspec.json.Decoder(Setup).decode
decode_task = msgspec.json.Decoder(Task).decode
_decode_said = msgspec.json.Decoder(Said).decode


class Garbled(Exception):
    """What came is nothing that a process says."""


class Ended(Exception):
    """The other side is gone."""


class TooLate(Exception):
    """Nothing came in time."""


def send(connection: socket.socket, message: msgspec.Struct) -> None:
    """Send one message; OSError where nobody is there any more."""
    body = encode(message)
    connection.sendall(len(body).to_bytes(_LENGTH, "big") + body)


def receive(connection: socket.socket) -> bytes:
    """The next message, however long it takes; Ended where there is none."""
    length = int.from_bytes(_exactly(connection, _LENGTH), "big")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise Ended
        parts += part
    return bytes(parts)


class Reader:
    """Reads what a process says, none of which is trusted."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def next(self, deadline: float, meanwhile: Callable[[], None]) -> tuple[Said, int]:
        """The next message and its size; Garbled, Ended, or TooLate after ``deadline`` (monotonic).

        ``meanwhile``: called now and then while nothing comes.
        """
        while (body := self._taken()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TooLate
            self._connection.settimeout(min(left, _SLICE))
            try:
                part = self._connection.recv(1 << 18)
            except TimeoutError:
                meanwhile()
                continue
            except OSError as error:
                raise Ended from error
            if not part:
                raise Ended
            self._buffer += part
        try:
            return _decode_said(body), len(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Garbled(str(error)) from error

    def _taken(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < _LENGTH:
            return None
        length = int.from_bytes(buffer[:_LENGTH], "big")
        if length > MAX_FRAME:
            raise Garbled(f"{length} bytes")
        end = _LENGTH + length
        if len(buffer) < end:
            return None
        body = bytes(buffer[_LENGTH:end])
        del buffer[:end]
        return body
