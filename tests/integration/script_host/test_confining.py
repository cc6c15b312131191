"""What is said of a system that lacks a measure, and that the filter of system calls is what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fulcrum.script import seccomp
from local.processes import ROOT

_CONFINE = """
import json, sys
from pathlib import Path
from fulcrum.script import confining, landlock, seccomp
version, seccomp_problem = json.loads(sys.argv[2])
if version is not None:
    landlock.version = lambda: version
if seccomp_problem is not None:
    seccomp.problem = lambda: seccomp_problem
found = confining.confine(Path(sys.argv[1]), Path(sys.argv[1]), 64, network=False)
sys.stdout.write(json.dumps([found.names, found.missing]))
"""


def confined(folder: Path, version: int | None, problem: str | None) -> tuple[list[str], list[str]]:
    """What holds and what is missing, where the kernel says that about itself."""
    done = subprocess.run(
        [sys.executable, "-c", _CONFINE, str(folder), json.dumps([version, problem])],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    names, missing = json.loads(done.stdout)
    return names, missing


def test_what_the_system_lacks_is_named_with_the_reason(tmp_path: Path) -> None:
    names, missing = confined(tmp_path, 0, "seccomp: not here")
    assert {"landlock", "seccomp"}.isdisjoint(names)
    assert {"limits", "no-new-privileges"} <= set(names)
    assert "landlock: landlock: the kernel has none, or does not use it" in missing
    assert "seccomp: seccomp: not here" in missing


def test_what_an_older_landlock_does_not_guard_is_named(tmp_path: Path) -> None:
    names, missing = confined(tmp_path, 2, None)
    if "landlock" not in names:
        pytest.skip(f"this kernel has no Landlock: {missing}")
    assert [line for line in missing if line.startswith("landlock 2")] == [
        "landlock 2 does not guard against truncating files outside",
        "landlock 2 does not guard TCP (seccomp refuses sockets where it is there)",
    ]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_has_each_call_once_and_jumps_within_itself(machine: str) -> None:
    column = {"x86_64": 0, "aarch64": 1}[machine]
    numbers = [each[column] for each in (*seccomp._REFUSED.values(), *seccomp._LOOKED_INTO.values())]
    known = [number for number in numbers if number is not None]
    assert len(known) == len(set(known))
    assert max(known) < seccomp._NEWER
    steps = list(seccomp._program(machine, 77, network=False))
    for place, step in enumerate(steps):
        assert 0 <= step.when_true < 256
        assert 0 <= step.when_false < 256
        end = place if step.code == seccomp._RETURN else place + 1 + max(step.when_true, step.when_false)
        assert end < len(steps)
    assert steps[-1] == seccomp._Step(seccomp._RETURN, seccomp._ALLOW)


def decided(steps: list[seccomp._Step], number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the filter says to a call, by the rules of the kernel's machine."""
    words = {0: number, 4: 0xC000003E, **{16 + 8 * place: value for place, value in enumerate(arguments)}}
    value = place = 0
    while True:
        step = steps[place]
        if step.code == seccomp._RETURN:
            return step.value
        if step.code == seccomp._LOAD:
            value = words.get(step.value, 0)
            place += 1
            continue
        if step.code == seccomp._AND:
            value &= step.value
            place += 1
            continue
        holds = {
            seccomp._EQUAL: value == step.value,
            seccomp._GREATER_EQUAL: value >= step.value,
            seccomp._ANY_BIT: bool(value & step.value),
        }[step.code]
        place += 1 + (step.when_true if holds else step.when_false)


def test_filter_decides_by_number_and_arguments() -> None:
    steps = list(seccomp._program("x86_64", 77, network=False))
    allow, refused, unknown = seccomp._ALLOW, seccomp._ERRNO | 1, seccomp._ERRNO | 38
    thread = 0x3D0F00
    for number, arguments, expected in [
        (0, (), allow),  # read
        (257, (), allow),  # openat
        (59, (), refused),  # execve
        (57, (), refused),  # fork
        (56, (0x11,), refused),  # clone of a process
        (56, (thread,), allow),
        (56, (thread | 0x10000000,), refused),  # with a namespace of users
        (435, (), unknown),  # clone3
        (999, (), unknown),
        (0x40000000, (), unknown),  # x32
        (41, (2,), refused),  # socket of IPv4
        (53, (1, 1), allow),  # socketpair of streams
        (53, (1, 0x80801), allow),  # with flags
        (53, (1, 2), refused),  # of datagrams, which can be sent anywhere
        (53, (1, 5), refused),
        (53, (2, 1), refused),
        (72, (3, 1024), refused),  # fcntl: a lease
        (16, (3, 0x40086602), refused),  # ioctl: attributes of a file
        (62, (77,), allow),  # kill itself
        (62, (78,), refused),
        (302, (0,), allow),  # prlimit64 of itself
        (302, (78,), refused),
        (157, (15,), allow),  # prctl: a name
        (157, (1,), refused),  # prctl: outlive the parent
        (72, (3, 3), allow),  # fcntl
        (72, (3, 8), refused),  # fcntl: whom signals go to
    ]:
        assert decided(steps, number, arguments) == expected, (number, arguments)
    network = list(seccomp._program("x86_64", 77, network=True))
    assert decided(network, 41, (2,)) == allow
    assert decided(network, 41, (16,)) == refused
