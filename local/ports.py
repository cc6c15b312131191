"""Free ports of the loopback interface."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass
class Reserved:
    """A port that nobody else is given until :meth:`release`.

    On Linux a bound socket that does not listen keeps the port from others, while a server that sets
    SO_REUSEADDR, as gunicorn does, may still bind it. Elsewhere the port is only looked up.
    """

    port: int
    _socket: socket.socket | None

    def release(self) -> None:
        """Give the port back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def reserve() -> Reserved:
    """Reserve a free port."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, 0))
    port: int = holder.getsockname()[1]
    if sys.platform != "linux":
        holder.close()
        return Reserved(port, None)
    return Reserved(port, holder)


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


async def listening(port: int, seconds: float) -> bool:
    """Wait until something accepts connections on the port; false after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return True
