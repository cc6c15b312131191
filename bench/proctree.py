"""CPU time and memory of a whole process tree, read from Linux's /proc.

The CPU clock of another process is read in nanoseconds (``clock_getcpuclockid(3)``): the ticks of
``/proc/<pid>/stat`` are 10 ms each, as much as a hundred events. Only what a process reaped of its dead
children comes in ticks, because nothing finer is kept.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil

_SCHEDULED = 2  # CPUCLOCK_SCHED of the kernel's posix-timers.h: user and system time, to the nanosecond
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def pids(root: int) -> list[int]:
    """The process and all its living descendants; empty if it is gone."""
    try:
        process = psutil.Process(root)
        return [root, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def own_ns(pid: int) -> int:
    """User and system time of one process with all its threads, the ended ones included."""
    return time.clock_gettime_ns((~pid << 3) | _SCHEDULED)


def reaped_ns(stat: str) -> int:
    """User and system time of waited-for children, from the text of ``/proc/<pid>/stat``.

    The command's name, in parentheses, may hold spaces and parentheses itself.
    """
    fields = stat.rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * _TICK_NS


def cpu_ns(root: int) -> int:
    """CPU nanoseconds that a tree has used since its start, by living and reaped processes."""
    total = 0
    for pid in pids(root):
        try:
            total += own_ns(pid) + reaped_ns(Path(f"/proc/{pid}/stat").read_text())
        except (OSError, ProcessLookupError) as error:
            # Ended since it was listed: its parent has reaped it or is about to.
            if Path(f"/proc/{pid}").exists():
                raise RuntimeError(f"cannot read the CPU time of process {pid}: {error}") from error
    return total


def pss_kib(smaps_rollup: str) -> int:
    """The proportional set size, in KiB, from the text of ``/proc/<pid>/smaps_rollup``."""
    for line in smaps_rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError("no Pss line in smaps_rollup")


def memory_kib(root: int) -> int:
    """PSS of a tree: a page that n processes share counts 1/n in each, so a fork is not counted twice."""
    return sum(pss_kib(Path(f"/proc/{pid}/smaps_rollup").read_text()) for pid in pids(root))
