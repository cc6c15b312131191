"""CPU time and memory are those of whole trees of processes, the dead ones included."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench import proctree
from local.processes import Child, python, spawn

_BURN = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass\n"


def _tree(seconds: float, then: str) -> str:
    """A parent that runs a child which burns CPU, does ``then`` with it, says so, and waits."""
    burn = _BURN.format(seconds=seconds) + "print('burnt', flush=True)\nimport sys\nsys.stdin.read()"
    return (
        "import subprocess, sys, time\n"
        f"command = [sys.executable, '-c', {burn!r}]\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        f"{then}\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )


@pytest.fixture
def tree(request: pytest.FixtureRequest) -> Iterator[Child]:
    child = spawn("tree", python("-c", request.param), stderr=None)
    try:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"ready\n"
        yield child
    finally:
        child.kill()


@pytest.mark.parametrize(
    "tree",
    [_tree(0.3, "pass"), _tree(0.3, "child.stdin.close(); child.wait()")],
    indirect=True,
    ids=["living child", "reaped child"],
)
def test_the_time_of_a_child_counts_while_it_lives_and_after(tree: Child) -> None:
    used = proctree.cpu_ns(tree.process.pid) / 1e9
    assert 0.29 <= used < 5


@pytest.mark.parametrize("tree", [_tree(0.3, "pass")], indirect=True)
def test_a_tree_has_each_of_its_processes_once_and_its_time_is_their_sum(tree: Child) -> None:
    pids = proctree.pids(tree.process.pid)
    assert len(pids) == len(set(pids)) == 2
    alone = sum(proctree.own_ns(pid) for pid in pids)
    assert alone <= proctree.cpu_ns(tree.process.pid) < alone + 250_000_000


@pytest.mark.parametrize("tree", [_tree(0.0, "held = b'x' * 40_000_000")], indirect=True)
def test_memory_is_that_of_all_processes_of_the_tree(tree: Child) -> None:
    pids = proctree.pids(tree.process.pid)
    whole = proctree.memory_kib(tree.process.pid)
    child_alone = proctree.memory_kib(pids[1])
    assert whole > child_alone + 38_000


def test_ticks_finer_than_the_kernels_are_seen() -> None:
    before = proctree.own_ns(os.getpid())
    sum(range(20_000))
    assert 0 < proctree.own_ns(os.getpid()) - before < 10_000_000_000


def test_a_name_with_spaces_and_parentheses_does_not_shift_the_fields() -> None:
    fields = ["S", *map(str, range(1, 50))]
    # state is field 3 of proc(5); cutime and cstime are 16 and 17, so 13 and 14 after the name.
    assert proctree.reaped_ns(f"7 (a) b (c) {' '.join(fields)}") == (13 + 14) * 1_000_000_000 // os.sysconf(
        "SC_CLK_TCK"
    )


def test_a_process_that_is_gone_has_used_nothing_that_can_be_read() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    assert proctree.pids(process.pid) == []
    assert proctree.cpu_ns(process.pid) == 0


def test_pss_is_read_by_name() -> None:
    assert (
        proctree.pss_kib("55a1-7ffd ---p [rollup]\nRss:  9852 kB\nPss:  6080 kB\nPss_Dirty: 1 kB\n") == 6080
    )
    with pytest.raises(ValueError, match="Pss"):
        proctree.pss_kib("Rss: 1 kB\n")
