"""The log of one run: what a script says and prints, up to a limit."""

from __future__ import annotations

import io

from fulcrum.script import wire


class Log:
    """Lines of one event. What is over the limits is dropped, and a last line says so."""

    __slots__ = ("_cut", "_room", "lines")

    def __init__(self) -> None:
        self.lines: list[wire.LogLine] = []
        self._room = wire.MAX_LOG_BYTES
        self._cut = False

    def add(self, level: wire.Level, text: str) -> None:
        """One line."""
        if self._room <= 0 or len(self.lines) >= wire.MAX_LOG_LINES:
            self._end()
            return
        # At least one byte a character: no more of it than could have room is looked at.
        start = text[: self._room]
        data = start.encode("utf-8", "replace")
        if len(data) > self._room or len(start) < len(text):
            self.lines.append(wire.LogLine(level=level, text=data[: self._room].decode("utf-8", "ignore")))
            self._room = 0
            self._end()
            return
        self._room -= len(data) + 1
        self.lines.append(wire.LogLine(level=level, text=data.decode()))

    def is_full(self) -> bool:
        """Whether nothing more is taken."""
        return self._cut

    def _end(self) -> None:
        if not self._cut:
            self._cut = True
            text = f"(log cut: at most {wire.MAX_LOG_LINES} lines and {wire.MAX_LOG_BYTES} bytes an event)"
            self.lines.append(wire.LogLine(level="error", text=text))


class Printed(io.TextIOBase):
    """What stands for stdout or stderr while a script runs: each line goes to the log of the run."""

    def __init__(self, level: wire.Level) -> None:
        self._level: wire.Level = level
        self._log: Log | None = None
        self._begun = ""

    def open(self, log: Log) -> None:
        """Lines go to ``log`` from now on."""
        self._log = log

    def close_log(self) -> None:
        """The run is over: what stands without an end of line is a line too. Later output is dropped."""
        log, self._log = self._log, None
        if self._begun:
            begun, self._begun = self._begun, ""
            if log is not None:
                log.add(self._level, begun)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        log = self._log
        if log is None or log.is_full():
            return len(text)
        # Cut before it is split: of a hundred megabytes, no more is looked at than a log may have.
        *lines, rest = (self._begun + text[: wire.MAX_LOG_BYTES + 1]).split("\n")
        for line in lines:
            log.add(self._level, line)
            if log.is_full():
                self._begun = ""
                return len(text)
        self._begun = rest[: wire.MAX_LOG_BYTES + 1]
        if len(self._begun) > wire.MAX_LOG_BYTES or len(text) > wire.MAX_LOG_BYTES:
            log.add(self._level, self._begun)
            self._begun = ""
        return len(text)
