"""What a new user does: start everything, copy the request that is printed, look at the device."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from local.processes import ROOT

READY_SECONDS = 60


def command(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FULCRUM_")}
    return subprocess.run(
        [sys.executable, "-m", "fulcrum", *args],
        cwd=ROOT,
        env={
            **kept,
            "FULCRUM_CONFIG": str(folder / "config.json"),
            "FULCRUM_PASSWORD": "correct horse battery",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
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
        made = command(tmp_path, "setup", "--stack", str(tmp_path / "stack"), "--username", "ada@example.com")
        assert made.returncode == 0, made.stderr
        look = ("device", "show", "--project", "demo", "room-1")
        while "21.5" not in (shown := command(tmp_path, *look)).stdout:
            assert time.monotonic() < deadline, shown
        assert "temperature  21.5" in shown.stdout
        while (shown := command(tmp_path, *look)).stdout.count("21.5") != 2:
            assert time.monotonic() < deadline, f"once as state and once in history: {shown}"
        missing = command(tmp_path, *look[:-1], "no-such-device")
        assert missing.returncode == 4
        assert "there is no device 'no-such-device'" in missing.stderr
    finally:
        stack.terminate()
        assert stack.wait(15) == 0
    ended = command(tmp_path, *look)
    assert ended.returncode == 6
    assert "cannot be reached" in ended.stderr
