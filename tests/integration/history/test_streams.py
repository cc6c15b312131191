"""Exports of a real function: whole in flat memory, and a broken one cannot be taken for a whole one."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from fulcrum.core import ids
from local.processes import Child, python, spawn
from tests.support.api import Api, embedded_api
from tests.support.history import DAY, History, at, event, rows_of

ROWS = 60_000
FEW = 6_000
READ = "device.readHistory"


@dataclass
class Server:
    """The function ``api`` in processes of its own."""

    url: str
    child: Child

    def memory(self) -> int:
        """Bytes that its processes hold."""
        process = psutil.Process(self.child.process.pid)
        held = 0
        for one in (process, *process.children(recursive=True)):
            try:
                held += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return held


@pytest.fixture(scope="module")
def many(running: History) -> str:
    """A project with many rows."""
    project = ids.new_id()
    start = at("00:00:01.0")
    for first in range(0, ROWS, 20_000):
        events = (
            event(project, start + index, {"v": index, "text": "x" * 300}, id=f"e{index:06}")
            for index in range(first, first + 20_000)
        )
        running.append(rows_of(list(events)))
    return project


@pytest.fixture(scope="module")
def api(running: History) -> Iterator[Api]:
    with embedded_api() as made:
        yield made


@pytest.fixture(scope="module")
def server(api: Api, running: History, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("api") / "log"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = python("-m", "functions_framework", "--source", "functions/api/main.py", "--target", "api")
    env = {
        **{name: os.environ[name] for name in ("FIRESTORE_EMULATOR_HOST", "FULCRUM_SIGNING_KEY")},
        "BIGQUERY_EMULATOR_HOST": running.address.http,
        "GOOGLE_CLOUD_PROJECT": "fulcrum-local",
        "HOST": "127.0.0.1",
        "PYTHONPATH": ".",
    }
    with log.open("wb") as file:
        child = spawn("api", [*command, "--port", str(port)], env, stdout=file, stderr=file)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, log)
            yield Server(url, child)
        finally:
            child.kill()


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.05)


def exported(server: Server, token: str, rows: int, format_: str) -> tuple[int, int]:
    """How many lines an export has, and how much more memory the function took at its height."""
    before = height = server.memory()
    lines = 0
    given: dict[str, str | int] = {"start": DAY, "end": at("00:00:01.0") + rows, "format": format_}
    with httpx.stream(
        "GET",
        f"{server.url}/v1/device/d1/history",
        params=given,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    ) as answer:
        assert answer.status_code == 200, answer.read()
        for chunk in answer.iter_bytes():
            lines += chunk.count(b"\n")
            height = max(height, server.memory())
    return lines, height - before


@pytest.mark.parametrize(("format_", "head"), [("jsonl", 0), ("csv", 1)])
def test_an_export_has_every_row_and_takes_no_more_memory_for_ten_times_as_many(
    format_: str, head: int, server: Server, api: Api, many: str
) -> None:
    token = api.user(api.project(many), READ)
    api.documents.document(f"projects/{many}/devices/d1").set({"name": "d1", "systemId": "s1"})
    lines, _ = exported(server, token, FEW, format_)
    assert lines == FEW + head
    lines, growth = exported(server, token, ROWS, format_)
    assert lines == ROWS + head
    # The rows are 25 MB of JSON; as objects they would be more than a hundred.
    assert growth < 40_000_000


def test_an_export_that_breaks_off_is_seen_to_be_broken(
    server: Server, api: Api, many: str, history: History
) -> None:
    token = api.user(api.project(many), READ)
    api.documents.document(f"projects/{many}/devices/d1").set({"name": "d1", "systemId": "s1"})
    read = 0

    def read_all() -> None:
        nonlocal read
        with httpx.stream(
            "GET",
            f"{server.url}/v1/device/d1/history",
            params={"start": DAY, "format": "jsonl"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        ) as answer:
            assert answer.status_code == 200
            for chunk in answer.iter_bytes():
                if not read:
                    history.faults(
                        {"method": "jobs.getQueryResults", "error_rate": 1.0, "code": "UNAVAILABLE"}
                    )
                read += chunk.count(b"\n")

    with pytest.raises(httpx.RemoteProtocolError):
        read_all()
    assert 0 < read < ROWS
    history.faults()
    assert exported(server, token, FEW, "csv")[0] == FEW + 1
