"""A stack starts, ends in time, leaves nothing behind, and does not get in another's way."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from local import stack_files
from local.processes import ROOT, StartError
from local.stack import Stack
from local.watchdog import MARK, marked
from tests.integration.local.conftest import SERVICES, Answer, ask, eventually, publish


def mark_of(directory: Path) -> str:
    """The mark that the processes of a running stack carry."""
    return str(stack_files.read_description(directory)["mark"])


def foreground(directory: Path, *options: str) -> subprocess.Popen[str]:
    """``python -m local`` as from a shell, ready."""
    command = [sys.executable, "-m", "local", "--stack", str(directory), "--port", "0", "--services"]
    process = subprocess.Popen(
        [*command, str(SERVICES), *options],
        cwd=ROOT,
        env={**os.environ, "FULCRUM_GREETING": "foreign", "K_SERVICE": "foreign"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    eventually((directory / "stack.json").exists, "the stack must become ready", 90)
    return process


def ask_in_background(url: str, answers: list[Answer]) -> threading.Thread:
    """A request that is under way when this returns."""
    thread = threading.Thread(target=lambda: answers.append(ask(url)))
    thread.start()
    return thread


def test_interrupt_ends_all_and_lets_requests_finish(tmp_path: Path) -> None:
    process = foreground(tmp_path)
    mark, stack = mark_of(tmp_path), Stack.attach(tmp_path)
    environment = ask(f"{stack.url}/echo").body["environment"]
    assert environment["FULCRUM_GREETING"] == "hello"
    answers: list[Answer] = []
    thread = ask_in_background(f"{stack.url}/echo?sleep=0.5", answers)
    eventually(lambda: stack.processes()["echo"].in_flight == 1, "the request must be under way")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    thread.join()
    assert process.returncode == 0
    assert [answer.status for answer in answers] == [200]
    assert not marked(mark)
    assert not (tmp_path / "stack.json").exists()
    assert not (tmp_path / "stack.env").exists()
    assert "\x1b[" not in output  # no terminal, no colours
    lines = output.splitlines()
    assert all(" | " in line for line in lines), lines
    assert any(line.startswith("stack") and line.endswith("/echo") for line in lines)
    assert any("curl -i " in line for line in lines)


def test_second_interrupt_ends_all_at_once(tmp_path: Path) -> None:
    process = foreground(tmp_path)
    mark, stack = mark_of(tmp_path), Stack.attach(tmp_path)
    answers: list[Answer] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)  # its connection is cut: that is the point
        thread = ask_in_background(f"{stack.url}/echo?sleep=2.5", answers)
        eventually(lambda: stack.processes()["echo"].in_flight == 1, "the request must be under way")
        process.send_signal(signal.SIGINT)
        eventually(lambda: not (tmp_path / "stack.json").exists(), "the first must be seen")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        thread.join()
    assert process.returncode == 130
    assert not answers
    assert not marked(mark)


def test_nothing_outlives_a_killed_stack(tmp_path: Path) -> None:
    process = foreground(tmp_path)
    mark, stack = mark_of(tmp_path), Stack.attach(tmp_path)
    assert ask(f"{stack.url}/echo").status == 200
    assert len(marked(mark)) >= 5  # three emulators, gunicorn and its worker
    process.kill()
    process.communicate(timeout=30)
    eventually(lambda: not marked(mark), "the watchdog must end them")


def test_stack_ends_with_the_process_that_holds_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from local.stack import Stack\n"
        "stack = Stack(Path(sys.argv[1]), services=Path(sys.argv[2])); stack.start(); time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(SERVICES)], cwd=ROOT)
    try:
        eventually((tmp_path / "stack.json").exists, "the stack must become ready", 90)
        mark = mark_of(tmp_path)
        assert marked(mark)
    finally:
        holder.kill()
        holder.wait()
    eventually(lambda: not marked(mark), "the stack must end with its holder")
    eventually(lambda: "ended" in (tmp_path / "stack.log").read_text(), "it must end in order")


def test_two_stacks_run_side_by_side(tmp_path: Path) -> None:
    with Stack(tmp_path / "a", services=SERVICES) as a, Stack(tmp_path / "b", services=SERVICES) as b:
        publish(a, "jobs", {"file": str(tmp_path / "job")})
        a.drain()
        assert (tmp_path / "job").exists()
        assert a.calls("pubsub")["Publish"] == 1
        assert "Publish" not in b.calls("pubsub")
        assert b.processes()["jobs"].starts == 0
        with pytest.raises(StartError, match=f"a stack runs in .*{tmp_path}/a already"):
            Stack(tmp_path / "a", services=SERVICES).start()
        assert ask(f"{a.url}/echo").status == 200


def test_idle_function_ends_and_starts_again(tmp_path: Path) -> None:
    with Stack(tmp_path, services=SERVICES, idle_seconds=0.2) as stack:
        first = ask(f"{stack.url}/echo?sleep=0.6").body["pid"]  # longer than the idle time
        eventually(lambda: stack.processes()["echo"].state == "cold", "it must end")
        eventually(lambda: not psutil.pid_exists(first), "its worker too")
        assert ask(f"{stack.url}/echo").body["pid"] != first
        assert stack.processes()["echo"].starts == 2


def test_state_is_kept_where_it_should_be(tmp_path: Path) -> None:
    data, file, outage = tmp_path / "data", tmp_path / "job", tmp_path / "outage"
    outage.touch()
    with Stack(tmp_path / "run", services=SERVICES, data=data) as stack:
        publish(stack, "jobs", {"file": str(file), "fail_while": str(outage)})
        eventually(file.exists, "the first try")
        stack.kill_emulator("pubsub")
        assert sum(stack.backlog()["jobs-jobs"][kind] for kind in ("undelivered", "outstanding")) == 1
    outage.unlink()
    with Stack(tmp_path / "run", services=SERVICES, data=data) as stack:
        stack.advance_clock(200)
        stack.drain()
    assert file.read_text().endswith("done\n")


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "example.com")
    monkeypatch.delenv("NO_PROXY")
    with Stack(tmp_path, services=SERVICES) as stack:
        assert stack.calls("pubsub")["CreateTopic"] > 0
        assert stack.env()["no_proxy"] == stack.env()["NO_PROXY"] == "example.com,127.0.0.1,localhost"


def test_state_belongs_to_one_stack_at_a_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Stack(tmp_path / "a", services=SERVICES, data=data) as stack:
        with pytest.raises(StartError, match=r"another stack keeps its state in .*another --data"):
            Stack(tmp_path / "b", services=SERVICES, data=data).start()
        assert ask(f"{stack.url}/echo").status == 200
    with Stack(tmp_path / "b", services=SERVICES, data=data) as stack:
        assert ask(f"{stack.url}/echo").status == 200


def test_a_second_stack_in_a_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with Stack(tmp_path, services=SERVICES) as stack:
        command = [sys.executable, "-m", "local", "--stack", str(tmp_path), "--services", str(SERVICES)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: a stack runs in {tmp_path} already (process {stack.pid})")
        assert done.stderr.count("\n") == 1


def test_stack_ends_when_state_is_lost(tmp_path: Path) -> None:
    with Stack(tmp_path, services=SERVICES) as stack:
        stack.kill_emulator("firestore")
        eventually(lambda: not (tmp_path / "stack.json").exists(), "it must end")
        with pytest.raises(StartError, match="does not answer"):
            eventually(lambda: not stack.processes(), "never")
    assert "the firestore emulator ended" in stack.log()


def test_description_is_for_its_owner_and_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no stack runs in"):
        Stack.attach(tmp_path)
    with Stack(tmp_path, services=SERVICES, project="another-one") as stack:
        assert stack_files.read_environment(tmp_path) == stack.env()
        assert stack.env()["GOOGLE_CLOUD_PROJECT"] == "another-one"
        for name in ("stack.json", "stack.env"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert MARK not in stack.env()


def test_wrong_services_are_told(tmp_path: Path) -> None:
    services = tmp_path / "services.yaml"
    services.write_text(SERVICES.read_text().replace("topic: jobs\n", "topic: job\n"))
    with pytest.raises(StartError, match="there is no topic 'job'"):
        Stack(tmp_path / "run", services=services).start()


def test_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with Stack(tmp_path / "a", services=SERVICES) as stack:
        port = int(stack.url.rpartition(":")[2])
        with pytest.raises(StartError, match=f"cannot listen on port {port}.*another --port"):
            Stack(tmp_path / "b", services=SERVICES, port=port).start()
