"""The function of a script as it is deployed: a folder of its own, served by functions-framework."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pytest

from fulcrum.script import wire
from fulcrum.script.process import sweep
from functions.deployer import host as parts
from shared.script_package import Source, contents
from tests.unit.script.support import call, event

Serve = Callable[..., httpx.Client]

SCRIPT = """
import os
from fulcrum.script import needs
from other import limit

@needs("deviceData", "cache")
def run(message, context):
    context.set_cache({"limit": limit})
    context.log(os.getpid(), sorted(os.environ), os.getcwd())
    if context.params.get("end"):
        os._exit(3)
    if context.params.get("read"):
        return {"x": open(context.params["read"]).read()}
"""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a script in a folder made of its zip's files; returns a client of it."""
    running: list[subprocess.Popen[bytes]] = []
    clients: list[httpx.Client] = []

    said = tmp_path / "stderr"
    errors = said.open("wb")

    def _serve(code: str, limits: dict[str, Any] | None = None) -> httpx.Client:
        source = Source("p1", "script1", 6, code, {"other.py": "limit = 20"}, "", limits or {})
        for name, data in contents(source, parts.files(), parts.requirements()).items():
            path = tmp_path / "function" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = Path(sys.executable).with_name("functions-framework")
        child = subprocess.Popen(
            [sys.executable, str(command), "--target", "script", "--host", "127.0.0.1", "--port", str(port)],
            cwd=tmp_path / "function",
            env={"PATH": "/usr/bin:/bin", "SECRET": "of the host"},
            stderr=errors,
            start_new_session=True,
        )
        running.append(child)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
        clients.append(client)
        for _ in range(300):
            try:
                client.get("/")
                return client
            except httpx.TransportError:
                if child.poll() is not None:
                    raise RuntimeError(f"ended with {child.returncode}: {said.read_text()}") from None
                time.sleep(0.05)
        raise TimeoutError

    yield _serve
    for client in clients:
        client.close()
    for child in running:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    errors.close()


def answer(client: httpx.Client, asked: wire.Call) -> wire.Answer:
    """What a function answers to a call."""
    response = client.post("/", content=msgspec.json.encode(asked))
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=wire.Answer)


def test_function_answers_calls_and_survives_what_they_do(serve: Serve) -> None:
    client = serve(SCRIPT, {"secondsPerEvent": 2, "memoryMb": 64})
    assert client.get("/").json()["entries"] == [
        {"name": "run", "needs": {"deviceData": True, "cache": True}}
    ]
    assert client.post("/", json={"describe": True}).json() == client.get("/").json()
    first = answer(client, call(event(1), event(2, params={"end": True}), event(3)))
    assert first.script_version == 6
    assert [each.status for each in first.outcomes] == ["done", "failed", "done"]
    assert "SECRET" not in first.outcomes[0].logs[0].text
    again = answer(client, call(event(4)))
    assert again.outcomes[0].cache == wire.Cache(value={"limit": 20})
    # The process that took over is the one that answers now.
    assert again.outcomes[0].logs == first.outcomes[2].logs
    description = client.get("/").json()
    if "landlock" in description["isolation"]:
        manifest = answer(client, call(event(5, params={"read": "/proc/self/environ"}))).outcomes[0]
        assert manifest.failure is not None
        assert manifest.failure.type == "PermissionError"


NO_CALLS = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"describe": 1}',
    b'{"scriptId":"other","projectId":"p1","events":[]}',
    b'{"v":2,"scriptId":"script1","projectId":"p1","events":[]}',
    b"[" * 100_000,
)


def test_what_is_no_call_is_refused(serve_plain: httpx.Client) -> None:
    for body in NO_CALLS:
        assert serve_plain.post("/", content=body).status_code == 400, body[:100]
    assert len(answer(serve_plain, call(event(1))).outcomes) == 1


@pytest.fixture
def serve_plain(serve: Serve) -> httpx.Client:
    return serve("def run(message, context): return False")


def test_a_call_without_events_and_one_again_change_nothing(serve_plain: httpx.Client) -> None:
    assert answer(serve_plain, call()).outcomes == []
    first, second = (answer(serve_plain, call(event(1))) for _ in range(2))
    assert [each.result for each in (*first.outcomes, *second.outcomes)] == [False, False]
    assert serve_plain.put("/", content=b"{}").status_code == 405


def test_code_that_cannot_be_loaded_ends_the_start_with_what_is_wrong_with_it(serve: Serve) -> None:
    with pytest.raises(RuntimeError) as caught:
        serve("def limit():\n    raise ValueError('no\\nlimit')\n\nlimit()\ndef run(message, context): ...")
    status, _, text = str(caught.value).partition(": ")
    first, *frames, last = text.strip().splitlines()
    assert (status, first) == ("ended with 1", "Traceback (most recent call last):")
    assert last == "main.py:2: ValueError when the file is loaded: no limit"
    named = [line.strip() for line in frames if line.strip().startswith("File ")]
    assert named == ['File "main.py", line 4, in <module>', 'File "main.py", line 2, in limit']


def test_code_that_cannot_be_loaded_again_is_for_another_try(serve: Serve, tmp_path: Path) -> None:
    client = serve("import os\ndef run(message, context): os._exit(1)")
    main = tmp_path / "function" / "code" / "main.py"
    sound = main.read_text()
    main.write_text("raise ValueError")
    assert [each.status for each in answer(client, call(event(1))).outcomes] == ["failed"]
    response = client.post("/", content=msgspec.json.encode(call(event(2))))
    assert response.status_code == 503
    assert "could be loaded before" in response.text
    main.write_text(sound.replace("os._exit(1)", "return False"))
    assert answer(client, call(event(2))).outcomes[0].result is False


def test_a_server_that_starts_again_and_ends_leaves_nothing(serve: Serve) -> None:
    client = serve("import os\ndef run(message, context): context.log(os.getpid(), os.getcwd())")

    def place() -> tuple[int, Path]:
        (line,) = answer(client, call(event(1))).outcomes[0].logs
        pid, folder = line.text.split()
        return int(pid), Path(folder)

    pid, folder = place()
    # It is the server's first process that started it, and its second one that talks to it.
    master = psutil.Process(pid).parent()
    assert master is not None
    (server,) = [child for child in master.children() if child.pid != pid]
    server.kill()
    for _ in range(100):
        try:
            again, other_folder = place()
            break
        except httpx.TransportError:
            time.sleep(0.05)
    assert again != pid
    assert not psutil.pid_exists(pid)
    master.terminate()
    master.wait(10)
    for _ in range(100):
        if not psutil.pid_exists(again):
            break
        time.sleep(0.05)
    assert not psutil.pid_exists(again)
    # What an ended server left behind goes when the next one starts.
    sweep()
    assert not folder.exists()
    assert not other_folder.exists()


def test_broken_code_never_serves(serve: Serve) -> None:
    with pytest.raises(RuntimeError, match="ended with 1"):
        serve("def run(message, context)\n    pass")
