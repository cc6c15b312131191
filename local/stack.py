"""A stack for tests, the demo and measurements: started, asked and ended from Python.

    with Stack(directory) as stack:
        requests go to stack.url; stack.env() points Google's clients at its emulators
        stack.drain()

The stack runs as a process of its own (``python -m local``) and ends with the process that holds it, even if
that is killed. Its log is ``stack.log`` in its folder.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import psutil

from local import stack_files, watchdog
from local.options import PROJECT, Options
from local.processes import ROOT, StartError, python
from local.topology import SERVICES
from shared import clock

_START_SECONDS = 90.0
# The stack itself takes five at most.
_STOP_SECONDS = 8.0
_LOG = "stack.log"
# The shortest back-off of services.yaml, in seconds.
_BACKOFF_STEP = 10.0

# A proxy is not asked for what is on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Emulator = Literal[
    "pubsub", "firestore", "bigquery", "logging", "functions", "tasks", "scheduler", "twilio", "sendgrid"
]


@dataclass(frozen=True)
class FunctionProcess:
    """A function as it is now. ``pid`` is None for one that is cold; ``starts`` counts cold starts."""

    name: str
    state: str
    pid: int | None
    starts: int
    in_flight: int


class DrainTimeout(AssertionError):
    """Messages were left; the text says where."""


class Stack:
    """One stack in ``directory``. It has free ports, so that several run side by side."""

    def __init__(
        self,
        directory: Path,
        *,
        data: Path | None = None,
        emulators: Literal["embedded", "google"] = "embedded",
        idle_seconds: float = 900.0,
        movable_clock: bool = True,
        project: str = PROJECT,
        services: Path = SERVICES,
        port: int = 0,
    ) -> None:
        self.directory = directory
        self._options = Options(
            stack_dir=directory,
            port=port,
            data=data,
            emulators=emulators,
            idle_seconds=idle_seconds,
            movable_clock=movable_clock and emulators == "embedded",
            project=project,
            services=services,
            leash=True,
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._description: dict[str, Any] | None = None

    @classmethod
    def attach(cls, directory: Path) -> Self:
        """The stack that runs in ``directory`` already; StartError if none does. ``stop`` leaves it alone."""
        stack = cls(directory)
        stack._description = stack_files.read_description(directory)
        return stack

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Life

    def start(self) -> None:
        """Start it and wait until it is ready; StartError with the end of its log if it fails."""
        # Only to be told: the stack itself takes the lock. Another one's files must not be touched.
        stack_files.lock(self.directory).close()
        with open(self.log_file, "wb") as log:
            self._process = subprocess.Popen(
                python("-m", "local", *self._options.arguments()),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not (self.directory / stack_files.DESCRIPTION).exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StartError(
                    f"the stack did not start; the end of {self.log_file}:\n{self.log()[-3000:]}"
                )
            time.sleep(0.02)
        self._description = stack_files.read_description(self.directory)

    def stop(self) -> None:
        """End it; requests in flight get a little time. Harmless if it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            if self._description is not None:
                watchdog.sweep(self._description["mark"])

    # Where it is

    @property
    def _found(self) -> dict[str, Any]:
        if self._description is None:
            raise StartError("the stack was not started")
        return self._description

    @property
    def pid(self) -> int:
        """The process of the stack itself, which is the front too."""
        if self._process is None:
            raise StartError("the stack was not started here")
        return self._process.pid

    @property
    def url(self) -> str:
        """The front, without a slash at the end."""
        return str(self._found["url"])

    @property
    def project(self) -> str:
        """The name of the cloud project."""
        return str(self._found["project"])

    @property
    def urls(self) -> Mapping[str, str]:
        """``front``, ``push`` (+ a function's name), and the control URL of each emulator by its name."""
        return {"front": self.url, "push": self._found["push_url"], **self._found["emulator_control"]}

    def env(self) -> dict[str, str]:
        """The variables that point Google's clients and Fulcrum's commands at this stack."""
        return dict(self._found["environment"])

    @property
    def log_file(self) -> Path:
        """What all its processes say."""
        return self.directory / _LOG

    def log(self) -> str:
        """The log up to now."""
        return self.log_file.read_text(errors="replace")

    # What it does

    def processes(self) -> dict[str, FunctionProcess]:
        """All functions by name."""
        listed = self._control("GET", "processes")["functions"]
        return {name: FunctionProcess(name=name, **item) for name, item in listed.items()}

    def kill_function(self, name: str) -> bool:
        """SIGKILL a function's process with what it works on; false if it was cold."""
        return bool(self._control("POST", f"functions/{name}/kill")["killed"])

    def kill_emulator(self, name: Emulator) -> None:
        """SIGKILL an emulator; with ``data`` wait until it is back on the same ports, else the stack ends."""
        pid = self._emulator_pid(name)
        psutil.Process(pid).kill()
        deadline = time.monotonic() + _START_SECONDS
        while self._found["data"] and self._emulator_pid(name) == pid:
            if time.monotonic() > deadline:
                raise StartError(f"the {name} emulator did not come back: see {self.log_file}")
            time.sleep(0.02)

    def _emulator_pid(self, name: Emulator) -> int:
        return int(self._control("GET", "processes")["emulators"][name]["pid"])

    def function_cpu(self, name: str) -> float:
        """CPU seconds of a function's process tree since its start; 0 if it is cold."""
        pid = self.processes()[name].pid
        return 0.0 if pid is None else _tree_cpu(pid)

    def advance_clock(self, seconds: float) -> None:
        """Move the clock of all processes forward: deadlines and back-offs come due."""
        path = self._found["clock_file"]
        if path is None:
            raise ValueError("the stack runs on the real clock: start it with movable_clock=True")
        clock.advance(Path(path), seconds)

    def set_faults(self, service: Emulator, rules: Iterable[Mapping[str, Any]], seed: int = 0) -> None:
        """Replace an emulator's fault rules (see ``emulators.kit.faults``); none: calls work again."""
        body = {"rules": [dict(rule) for rule in rules], "seed": seed}
        _ask("POST", f"{self._emulator(service)}/faults", body)

    def calls(self, service: Emulator) -> dict[str, int]:
        """How often each method was called since the start or :meth:`reset_calls`."""
        return dict(_ask("GET", f"{self._emulator(service)}/calls"))

    def reset_calls(self, service: Emulator) -> None:
        """Count from zero."""
        _ask("DELETE", f"{self._emulator(service)}/calls")

    def backlog(self) -> dict[str, dict[str, int]]:
        """Undelivered and outstanding messages of each subscription, by its short name."""
        found = _ask("GET", f"{self._emulator('pubsub')}/backlog")
        return {name.rpartition("/")[2]: counts for name, counts in found.items()}

    def tasks(self) -> dict[str, dict[str, int]]:
        """Tasks of each queue: ``running``, ``due``, ``waiting`` for another try, ``scheduled`` for later."""
        found = _ask("GET", f"{self._emulator('tasks')}/backlog")
        return {name.rpartition("/")[2]: counts for name, counts in found.items()}

    def schedules(self) -> dict[str, dict[str, Any]]:
        """Jobs of Cloud Scheduler by name: ``state``, ``next``, ``lastAttempt`` (epoch ms), ``code``."""
        found = _ask("GET", f"{self._emulator('scheduler')}/jobs")
        return {name.rpartition("/")[2]: job for name, job in found.items()}

    def drain(self, timeout: float = 60.0, *, skip_backoff: bool = False) -> None:
        """Wait until no subscription has a message left, and no task is due; DrainTimeout after ``timeout``
        real seconds.

        ``skip_backoff`` moves the clock when all that is left waits for its next delivery.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = self._left()
            if not left:
                # What a task does that is due is published after the look at the subscriptions.
                left = self._left()
            if not left:
                return
            if time.monotonic() > deadline:
                raise DrainTimeout(f"after {timeout:g} s these messages were left: {left}")
            busy = ("outstanding", "running", "due")
            if skip_backoff and not any(counts.get(name) for counts in left.values() for name in busy):
                self.advance_clock(_BACKOFF_STEP)
            time.sleep(0.02)

    def _left(self) -> dict[str, dict[str, int]]:
        """Subscriptions and queues that have something left to do now."""
        found = {**self.tasks(), **self.backlog()}
        now = ("undelivered", "outstanding", "running", "due", "waiting")
        return {name: counts for name, counts in found.items() if any(counts.get(key) for key in now)}

    def _emulator(self, service: Emulator) -> str:
        url = self._found["emulator_control"].get(service)
        if url is None:
            raise ValueError(f"Google's {service} emulator has no control routes")
        return str(url)

    def _control(self, method: str, path: str) -> Any:
        return _ask(method, f"{self._found['control_url']}/{path}")


def _ask(method: str, url: str, body: object = None) -> Any:
    """A small JSON request on loopback."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 our own loopback URL
    try:
        with _opener.open(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise ValueError(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from None
    except (OSError, http.client.HTTPException) as error:
        raise StartError(f"the stack does not answer any more: {error}") from error


def _tree_cpu(pid: int) -> float:
    total = 0.0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    except psutil.NoSuchProcess:
        return total  # it ended meanwhile; what was counted is what is left
    return total
