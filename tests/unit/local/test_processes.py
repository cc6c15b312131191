"""Logs, ports, files, environments and the watchdog, each by itself."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emulators.sendgrid import signing
from local import ports, stack_files
from local.environment import Endpoints, Surroundings
from local.functions import GRACE_SECONDS
from local.logs import Log
from local.processes import ROOT, StartError
from local.runner import _STOP_SECONDS
from local.topology import load
from local.watchdog import MARK, marked, sweep

ENDPOINTS = Endpoints("127.0.0.1:1", "127.0.0.1:2", "http://127.0.0.1:3", "127.0.0.1:4")


async def followed(data: bytes, log: Log, **options: object) -> None:
    """Let a log follow what a process printed."""
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    await log.follow("ingest", stream, **options)  # type: ignore[arg-type]  # passed on as they are


async def test_each_line_stands_behind_its_service() -> None:
    out = io.StringIO()
    await followed("a\r\nb\n\ncut é".encode() + b"\xff", Log(out, width=6))
    assert out.getvalue() == "ingest | a\ningest | b\ningest | \ningest | cut é\ufffd\n"


async def test_very_long_line_is_whole() -> None:
    out = io.StringIO()
    await followed(b"x" * 300_000 + b"\ny\n", Log(out, width=6))
    assert out.getvalue() == f"ingest | {'x' * 300_000}\ningest | y\n"


async def test_lines_may_be_kept_back() -> None:
    out = io.StringIO()
    await followed(b"ready\nnext\n", Log(out, width=6), take=lambda line: line == "ready")
    assert out.getvalue() == "ingest | next\n"


def test_colours_differ_by_service_and_only_where_asked() -> None:
    out = io.StringIO()
    log = Log(out, colour=True)
    for service in ("a", "b", "a"):
        log.lines(service, ["x"])
    first, second, third = (line.split("m", 1)[0] for line in out.getvalue().splitlines())
    assert first == third != second


def test_reserved_port_is_left_for_the_server_it_is_meant_for() -> None:
    reserved = ports.reserve()
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((ports.HOST, reserved.port))
        server.listen()
        assert not ports.is_free(reserved.port)
    reserved.release()
    reserved.release()
    assert ports.is_free(reserved.port)


async def test_waiting_for_a_port_ends() -> None:
    reserved = ports.reserve()
    assert not await ports.listening(reserved.port, 0.05)
    reserved.release()


def test_one_stack_a_folder(tmp_path: Path) -> None:
    held = stack_files.lock(tmp_path)
    with pytest.raises(StartError, match=f"process {os.getpid()}.*give another --stack"):
        stack_files.lock(tmp_path)
    held.close()
    stack_files.lock(tmp_path).close()


def test_description_comes_back_and_goes(tmp_path: Path) -> None:
    stack_files.write(tmp_path, {"url": "u"}, {"A": "1=2", "B": ""})
    assert stack_files.read_description(tmp_path) == {"url": "u"}
    assert stack_files.read_environment(tmp_path) == {"A": "1=2", "B": ""}
    stack_files.remove(tmp_path)
    for read in (stack_files.read_description, stack_files.read_environment):
        with pytest.raises(StartError, match="no stack runs in"):
            read(tmp_path)


def test_nothing_of_the_callers_reaches_a_function() -> None:
    foreign = {
        "GOOGLE_APPLICATION_CREDENTIALS": "/key.json",
        "FULCRUM_BIGQUERY_DATASET": "theirs",
        "FUNCTION_TARGET": "theirs",
        "K_SERVICE": "theirs",
        "PUBSUB_EMULATOR_HOST": "theirs",
        "PYTHONPATH": "theirs",
    }
    around = Surroundings({**foreign, "PATH": "/bin", "LANG": "C", "KEEP": "1"}, "p", "m", Path("/c"))
    ingest = around.function(load().functions["ingest"], ENDPOINTS)
    assert "theirs" not in ingest.values()
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in ingest
    assert ingest["PATH"] == "/bin"
    assert ingest["KEEP"] == "1"
    assert ingest["FULCRUM_CLOCK_FILE"] == "/c"
    assert "FULCRUM_CUSTOM_TOPICS" not in ingest
    assert ingest["FULCRUM_RATE_DEVICE_PER_SECOND"] == "100"
    assert ingest["K_SERVICE"] == "ingest"
    assert ingest["FULCRUM_BIGQUERY_STORAGE_ENDPOINT"] == "127.0.0.1:4"
    assert ingest[MARK] == "m"


def test_who_checks_routes_knows_the_users_own_topics() -> None:
    api = load().functions["api"]
    secrets = dict.fromkeys(api.secrets, "s")
    around = Surroundings({}, "p", "m", None, secrets, ("alarms", "billing"))
    assert around.function(api, ENDPOINTS)["FULCRUM_CUSTOM_TOPICS"] == "alarms,billing"


def test_mail_of_a_stack_goes_to_its_own_stand_in() -> None:
    functions = load().functions
    secrets = {name: "s" for function in functions.values() for name in function.secrets}
    caller = {"FULCRUM_MAIL_FROM": "me@my.example", "FULCRUM_SENDGRID_API_KEY": "SG.mine"}
    around = Surroundings(caller, "p", "m", None, secrets)
    endpoints = replace(ENDPOINTS, sendgrid="http://127.0.0.1:5")
    emailer = around.function(functions["emailer"], endpoints)
    assert emailer["FULCRUM_MAIL_FROM"].endswith("@example.com>")
    assert (emailer["FULCRUM_SENDGRID_ENDPOINT"], emailer["FULCRUM_SENDGRID_API_KEY"]) == (
        "http://127.0.0.1:5",
        "s",
    )
    api = around.function(functions["api"], endpoints)
    assert api["FULCRUM_SENDGRID_WEBHOOK_KEY"] == signing.public_key("s")
    assert "FULCRUM_SENDGRID_API_KEY" not in api


def test_stop_stays_below_five_seconds() -> None:
    assert GRACE_SECONDS < _STOP_SECONDS < 5


def test_watchdog_ends_what_carries_the_mark_and_nothing_else() -> None:
    mark = os.urandom(8).hex()
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    # Detached by setsid, by way of a parent that ends: as far from the stack as a process can get.
    spawner = f"import subprocess; subprocess.Popen({sleeper!r}, start_new_session=True)"
    subprocess.run([sys.executable, "-c", spawner], env={MARK: mark}, check=True)
    other = subprocess.Popen(sleeper, env={MARK: mark + "x"})
    try:
        assert len(marked(mark)) == 1
        watchdog = subprocess.Popen(
            [sys.executable, "-m", "local.watchdog", mark], cwd=ROOT, stdin=subprocess.PIPE
        )
        assert watchdog.stdin is not None
        assert len(marked(mark)) == 1
        watchdog.stdin.close()
        assert watchdog.wait(30) == 0
        assert not marked(mark)
        assert other.poll() is None
        assert sweep(mark) == []
    finally:
        other.kill()
        other.wait()
