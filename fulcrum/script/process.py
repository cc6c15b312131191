"""A process that runs a customer's code, as its host holds it: started, asked, and ended.

All of it is blocking and belongs to one thread that lives as long as the host: the process ends with the
thread that started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Annotated, Any

import msgspec

from fulcrum.core.writes import Write
from fulcrum.script import folders, frames, wire
from fulcrum.script.limits import Limits
from fulcrum.script.worker import NO_MEMORY

# Loading may take longer than an event: packages are read for the first time.
LOAD_SECONDS = 30.0
# Between being told to end and being ended.
GRACE_SECONDS = 1.0
# Between two looks at what the process takes of the machine.
_LOOK_SECONDS = 0.1
MAX_THREADS = 200
_PREFIX = "fulcrum-script-"
_SHOWN = 4_000
_ROOT = Path(__file__).resolve().parents[2]
_START = "import json, sys\nsys.path[:] = json.loads(sys.argv[2])\n"
_START += "from fulcrum.script.worker import main\nmain(int(sys.argv[1]))"


class _Result(msgspec.Struct):
    """What of a result the state of a device follows from."""

    data: list[Write] = []
    time: Annotated[int, msgspec.Meta(ge=0, le=wire.MAX_TIME)] = 0


class Broken(Exception):
    """The code cannot be loaded."""

    def __init__(self, failure: wire.Failure, file: str = "", line: int = 0) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.file = file
        self.line = line


class Lost(Exception):
    """The process is gone, by what ran in it: the event that was its turn, or one before it."""

    def __init__(self, failure: wire.Failure, logs: Sequence[wire.LogLine] = ()) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.logs = list(logs)


class Process:
    """One process with a customer's code, from its start to its end."""

    def __init__(self, folder: Path, limits: Limits, version: int) -> None:
        self._folder = folder
        self._limits = limits
        self._temporary = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the process runs
        self._connection, theirs = socket.socketpair()
        self._reader = frames.Reader(self._connection)
        self.isolation = frames.Hello([], [])
        self.entries: list[wire.Entry] = []
        self.used = False
        self.busy = False
        self._looked = 0.0
        # Whether it is this process's child, whose status can be asked for.
        self._ours = True
        path = search_path()
        try:
            self._process = self._spawn(theirs, path)
        except OSError:
            self._connection.close()
            self._errors.close()
            self._temporary.rmdir()
            raise
        finally:
            theirs.close()
        setup = frames.Setup(
            str(folder), str(self._temporary), version, limits, [each for each in path if each != str(_ROOT)]
        )
        with contextlib.suppress(OSError):
            # If it is gone already, reading says so.
            frames.send(self._connection, setup)
        self._loaded_by = time.monotonic() + LOAD_SECONDS

    def _spawn(self, theirs: socket.socket, path: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # Not what is in the folder where this is started, nor in somebody's home.
            [sys.executable, "-s", "-P", "-B", "-c", _START, str(theirs.fileno()), json.dumps(path)],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            cwd=self._temporary,
            env=_environment(self._temporary),
            start_new_session=True,
        )

    def wait(self) -> None:
        """Wait until the code is loaded; Broken where that fails."""
        if self.entries:
            return
        # One that was kept ready has said it long ago, and it only has to be read.
        deadline = max(self._loaded_by, time.monotonic() + GRACE_SECONDS)
        try:
            while not self.entries:
                said, _ = self._reader.next(deadline, self._look_after)
                if isinstance(said, frames.Hello):
                    self.isolation = said
                elif isinstance(said, frames.Ready):
                    self.entries = said.entries
                elif isinstance(said, frames.Broken):
                    raise Broken(said.failure, said.file, said.line)
                else:
                    raise frames.Garbled(type(said).__name__)
        except (frames.Ended, frames.Garbled, frames.TooLate, Lost) as error:
            raise Broken(self._load_failure(error)) from error

    def begin(self, call: wire.Call, until: int) -> None:
        """Give it a call."""
        self.used = True
        self._connection.settimeout(GRACE_SECONDS + self._limits.seconds_per_event)
        with contextlib.suppress(OSError):
            frames.send(self._connection, frames.Task(call, until))

    def next(self, key: str) -> frames.Done | frames.Stopped:
        """What became of the event ``key``, which is the next; Lost where the process is gone over it."""
        deadline = time.monotonic() + self._limits.seconds_per_event + GRACE_SECONDS
        try:
            said, size = self._reader.next(deadline, self._look_after)
            if time.monotonic() - self._looked > _LOOK_SECONDS:
                # Short events take as much as long ones, all together.
                self._look_after()
        except frames.TooLate:
            message = (
                f"the run took longer than {self._limits.seconds_per_event:g} s, and did not end by itself"
            )
            raise self._lost("timeout", message) from None
        except frames.Ended:
            raise self._ended() from None
        except frames.Garbled as error:
            raise self._lost("output", f"the script's process says what is no outcome: {error}") from None
        if isinstance(said, frames.Stopped):
            return said
        if not isinstance(said, frames.Done) or said.outcome.key != key or not _fits(said.outcome, size):
            raise self._lost("output", "the script's process says what is no outcome of this event")
        self.busy = self.busy or said.busy
        return said

    def is_alive(self) -> bool:
        """Whether the process runs."""
        if self._ours and self._process.poll() is not None:
            return False
        self._connection.settimeout(0)
        try:
            # Nothing is said between calls.
            self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def let_go(self) -> None:
        """Leave the process to a child of this one."""
        self._process.returncode = 0
        self._connection.close()
        self._errors.close()

    def take_over(self) -> None:
        """Have the process that this one's parent started."""
        self._ours = False
        self._process.returncode = 0

    def end(self) -> None:
        """End the process and whatever it started, and remove what it wrote."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._ours:
            self._process.wait()
        else:
            self._connection.settimeout(GRACE_SECONDS)
            with contextlib.suppress(OSError):
                # Until it is gone: by then, whatever it had said is read.
                while self._connection.recv(1 << 18):
                    pass
        self._connection.close()
        self._errors.close()
        # What cannot be removed goes with the instance.
        with contextlib.suppress(OSError):
            folders.remove(self._temporary)

    def _look_after(self) -> None:
        """See to it that the process takes no more of the machine than it may; Lost where it does."""
        self._looked = time.monotonic()
        if folders.is_too_full(self._temporary):
            most = f"{folders.MAX_BYTES >> 20} MB or {folders.MAX_ENTRIES} files"
            raise self._lost("output", f"the script wrote more than {most}")
        if _threads(self._process.pid) > MAX_THREADS:
            raise self._lost("memory", f"the script started more than {MAX_THREADS} threads")

    def _ended(self) -> Lost:
        if not self._ours:
            return self._lost("exit", "the script ended its process, or crashed it")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        status = self._process.poll()
        if status == NO_MEMORY:
            return self._lost("memory", "memory ran out, even for saying so")
        if status is None:
            return self._lost("exit", "the script cut the connection of its process")
        if status < 0:
            return self._lost("exit", f"the script's process was ended by {_signal(-status)}")
        return self._lost("exit", f"the script ended its process, with status {status}")

    def _lost(self, kind: wire.FailureKind, message: str) -> Lost:
        return Lost(wire.Failure(kind=kind, message=message, traceback=self._last_words()))

    def _last_words(self) -> str:
        """What the interpreter wrote when it crashed, of the script's own frames."""
        try:
            text = os.pread(self._errors.fileno(), _SHOWN, 0).decode("utf-8", "replace")
        except (OSError, ValueError):
            return ""
        own = f'File "{self._folder}/'
        lines = [line for line in text.splitlines() if own in line or not line.startswith("  File ")]
        return "\n".join(lines).replace(own, 'File "')

    def _load_failure(self, error: Exception) -> wire.Failure:
        if isinstance(error, Lost):
            return error.failure
        if isinstance(error, frames.Ended):
            message = f"loading the code: {self._ended().failure.message}"
        elif isinstance(error, frames.TooLate):
            message = f"loading the code took longer than {LOAD_SECONDS:g} s"
        else:
            message = f"loading the code: its process says what nobody asked for: {error}"
        return wire.Failure(kind="load", message=message, traceback=self._last_words())


def sweep() -> None:
    """Remove the folders that hosts left behind which were ended before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            with contextlib.suppress(OSError):
                folders.remove(folder)
        except (ValueError, OverflowError, PermissionError):
            # Nobody's that we know, or of a process that is there.
            continue


def _threads(pid: int) -> int:
    """How many threads a process has; 0 where that is not told."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[17])


def search_path() -> list[str]:
    """Where modules are found here, as far as it is a place: what runs a script finds the same packages."""
    found = dict.fromkeys(os.path.abspath(entry) for entry in sys.path if entry and os.path.exists(entry))
    return [*found, *([] if str(_ROOT) in found else [str(_ROOT)])]


def _environment(temporary: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        # The order of a set is the same in every run, a replay's too.
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        # One arena and one thread each: what they would reserve counts against the limit of memory.
        "MALLOC_ARENA_MAX": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _fits(outcome: wire.Outcome, size: int) -> bool:
    """Whether an outcome keeps to the limits that the process should have kept it to."""
    return (
        len(outcome.effects) <= wire.MAX_EFFECTS
        and len(outcome.logs) <= wire.MAX_LOG_LINES + 1
        and size <= frames.MAX_FRAME
        and (not isinstance(outcome.result, dict) or _stands(outcome.result))
    )


def _stands(result: dict[str, Any]) -> bool:
    """Whether later events can be run after a result."""
    try:
        msgspec.convert(result, _Result)
    except msgspec.ValidationError:
        return False
    return True


def _signal(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    if number == signal.SIGKILL:
        return f"{name}: by itself, or by the system because memory ran out"
    return name
