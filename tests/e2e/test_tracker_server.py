"""The example's own ingestion server on a running stack: from a tracker's frame to a device's state."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time

import pytest

from local.processes import ROOT, python, read_ready_line, spawn
from local.stack import Stack
from tests.examples.tracker_server.talking import Tcp, Udp, answer, report
from tests.support.transcript import Shell

pytestmark = pytest.mark.slow

_PAGE = ROOT / "examples" / "tracker_server" / "README.md"
_SERIAL = 351_000_000_017


def test_a_trackers_reports_are_its_devices_state_and_history(shell: Shell, stack: Stack) -> None:
    block = re.search(r"^```sh\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert block is not None
    # What is made stands in the page; the server's own ports are for whoever has only one.
    said = shell.play(block[1].partition("\nset -a")[0])
    assert "fulcrum:" not in said, said
    command = python("-m", "examples.tracker_server", "--cloud-project", stack.project, "--project", "vans")
    command += ["--network", "trackers", "--host", "127.0.0.1", "--udp-port", "0", "--tcp-port", "0"]
    child = spawn("tracker_server", command, {**stack.env(), "PYTHONPATH": str(ROOT)})
    try:
        ready = read_ready_line(child)
        asyncio.run(_drive(ready["udp"], ready["tcp"]))
        stack.drain()
        driven = python("-m", "examples.tracker_server.tracker", "--port", str(ready["udp"]), "--count", "1")
        said = subprocess.run(driven, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert said == "report 0: stored\n"
    finally:
        child.kill()
    stack.drain()
    data = json.loads(shell.play("fulcrum device show $DEVICE --json"))["device"]["data"]
    assert data["position"] == {"lat": 59.91, "lon": 10.77}
    assert (data["speed"], data["battery"]["voltage"]) == (40.0, 3.7)
    rows = "fulcrum history $DEVICE --paths speed --start 2026-09-01T00:00:00Z --jsonl"
    deadline = time.monotonic() + 30
    # The writer has them when nothing is left to be delivered; queries see them a little later.
    while len(found := shell.play(rows).strip().splitlines()) < 4:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    assert sorted(json.loads(row)["speed"] for row in found) == [40.0, 42.5, 42.5, 42.5]


async def _drive(udp_port: int, tcp_port: int) -> None:
    """Three reports, each more than once and by both ways."""
    udp, tcp = await Udp().open(udp_port), await Tcp.open(tcp_port)
    for sequence in (1, 2, 3):
        udp.send(report(sequence, _SERIAL))
        await tcp.send(report(sequence, _SERIAL) * 2)
        assert await udp.answer() == answer(sequence, _SERIAL)
        assert [await tcp.answer(), await tcp.answer()] == [answer(sequence, _SERIAL)] * 2
    udp.close()
    tcp.close()
