"""One readable stream of what all processes say, each line behind the name of its service."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import TextIO

from local.structured import StructuredLog

# ANSI colours of the services, in turn: those that can be read on light and on dark ground.
_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)
_CHUNK = 65536
# The stack's own lines stand behind this name.
OWN = "stack"


class Log:
    """Writes lines to ``out``; ``colour`` only where that is a terminal.

    ``structured`` keeps the lines that are structured, and makes them readable.
    """

    def __init__(
        self, out: TextIO, colour: bool = False, width: int = 17, structured: StructuredLog | None = None
    ) -> None:
        self.out = out
        self.structured = structured
        self._colour = colour
        self._width = width
        self._codes = itertools.cycle(_COLOURS)
        self._prefixes: dict[str, str] = {}

    def _prefix(self, service: str) -> str:
        prefix = self._prefixes.get(service)
        if prefix is None:
            prefix = f"{service:<{self._width}} | "
            if self._colour:
                prefix = f"\x1b[{next(self._codes)}m{prefix}\x1b[0m"
            self._prefixes[service] = prefix
        return prefix

    def lines(self, service: str, lines: list[str]) -> None:
        """Write lines of one service in one go."""
        prefix = self._prefix(service)
        if self.structured is not None:
            lines = self.structured.take(lines)
        self.out.write("".join(f"{prefix}{line}\n" for line in lines))
        self.out.flush()

    def say(self, text: str) -> None:
        """Write what the stack itself has to say."""
        self.lines(OWN, text.splitlines())

    async def follow(
        self,
        service: str,
        stream: asyncio.StreamReader,
        take: Callable[[str], bool] | None = None,
    ) -> None:
        """Write what a process prints until its end; ``take`` may keep a line to itself (true)."""
        rest = b""
        while chunk := await stream.read(_CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            texts = [line.decode(errors="replace").rstrip("\r") for line in whole]
            self.lines(service, [text for text in texts if not (take and take(text))])
        if rest:
            self.lines(service, [rest.decode(errors="replace")])
