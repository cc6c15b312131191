"""Ends what a stack has started, should the stack itself be killed: ``python -m local.watchdog MARK``.

Every process of a stack carries the stack's mark in its environment, and so do the processes that those
start (gunicorn's workers, Java under gcloud). The watchdog's standard input is a pipe whose other end only
the stack holds. When that end closes, by whatever cause, the watchdog kills all that carries the mark.
"""

from __future__ import annotations

import os
import sys
import time

MARK = "FULCRUM_STACK_MARK"
_ROUNDS = 20


def marked(mark: str) -> list[int]:
    """Process ids that carry the mark, this process apart."""
    import psutil  # only at the end: the watchdog itself should cost next to nothing

    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process.pid)
        except psutil.Error:
            continue  # ended meanwhile, or another user's and so none of ours
    return found


def sweep(mark: str) -> list[int]:
    """SIGKILL all that carries the mark until nothing is left; returns the ids that were killed."""
    import psutil

    killed: list[int] = []
    for _ in range(_ROUNDS):
        found = marked(mark)
        if not found:
            break
        for pid in found:
            try:
                process = psutil.Process(pid)
                process.kill()
            except psutil.NoSuchProcess:
                continue  # it went by itself, as wanted
            killed.append(pid)
        time.sleep(0.02)
    return killed


def main() -> None:
    """Wait for the end of the pipe, then sweep."""
    while sys.stdin.buffer.read(65536):
        pass
    sweep(sys.argv[1])


if __name__ == "__main__":
    main()
