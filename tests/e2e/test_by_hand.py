"""What a new user does: start everything, copy the request that is printed, look at the device."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from local.processes import ROOT

READY_SECONDS = 60


def command(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *args], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def send(curl: str) -> int:
    """Carry out the printed curl line."""
    words = shlex.split(curl)
    url = next(word for word in words if word.startswith("http"))
    headers = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    request = urllib.request.Request(url, words[words.index("-d") + 1].encode())  # noqa: S310 loopback
    for header in headers:
        request.add_header(*header.split(": ", 1))
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 loopback
        return int(answer.status)


@pytest.mark.xdist_group("by-hand")
def test_the_printed_request_works_and_the_device_shows_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with open(log, "wb") as out:
        stack = subprocess.Popen(
            [sys.executable, "-m", "local", "--port", "0", "--stack", str(tmp_path / "stack")],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while (found := re.search(r"curl -i .*", log.read_text())) is None:
            assert stack.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        assert send(found[0]) == 202
        look = ("cli.device", "--stack", str(tmp_path / "stack"), "--project", "demo", "room-1")
        while "21.5" not in (shown := command(*look)).stdout:
            assert time.monotonic() < deadline, shown
        assert 'data         {"temperature": 21.5}' in shown.stdout
        assert shown.stdout.count("21.5") == 2, "once as state and once in history"
        missing = command(*look[:-1], "no-such-device")
        assert missing.returncode == 1
        assert "has no device no-such-device" in missing.stderr
    finally:
        stack.terminate()
        assert stack.wait(15) == 0
    ended = command(*look)
    assert ended.returncode == 1
    assert "start one with `make run`" in ended.stderr
