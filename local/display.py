"""What is seen while a stack starts: live steps on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from local.logs import Log

if TYPE_CHECKING:
    from rich.progress import Progress


class Steps:
    """Shows the steps of a start, several at a time."""

    def __init__(self, out: TextIO, log: Log) -> None:
        self._log = log
        self._progress: Progress | None = None
        if out.isatty():
            self._progress = _progress(out)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the steps that are made within."""
        if self._progress is None:
            yield
            return
        with self._progress:
            # Rich has replaced standard output: lines of the log go above the live part, not through it.
            before, self._log.out = self._log.out, sys.stdout
            try:
                yield
            finally:
                self._log.out = before

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """One step; done when the block ends without an error."""
        began = time.monotonic()
        task = self._progress.add_task(what, total=1) if self._progress else None
        yield
        if self._progress is not None and task is not None:
            self._progress.update(task, completed=1)
        else:
            self._log.say(f"{what}: ready in {time.monotonic() - began:.1f} s")


def _progress(out: TextIO) -> Progress:
    # Only here: a stack without a terminal should not pay for it.
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=Console(file=out))
