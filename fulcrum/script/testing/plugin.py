"""pytest's plug-in: events in files as tests, and fixtures for tests of scripts that are written.

Each ``*.event.yaml`` below a script's folder (the nearest one upwards with a ``main.py`` or ``script.yaml``)
is a test. ``--fulcrum-update`` writes what events came to into files that expect nothing or something else.

Fixtures: ``script`` (the code of the test's folder), ``make_message``, ``run_event``, ``run_events``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fulcrum.script.testing import MakeMessage, RunEvent, RunEvents

if TYPE_CHECKING:
    from fulcrum.script import wire
    from fulcrum.script.loading import Code, LoadError
    from fulcrum.script.testing.limiting import Limit

SUFFIX = ".event.yaml"
_MARKS = ("main.py", "script.yaml")
_CODES = pytest.StashKey[dict[Path, "Code | LoadError"]]()
_STDERR = pytest.StashKey[int]()
_LIMIT = pytest.StashKey["Limit"]()
_WRITTEN = pytest.StashKey[list[Path]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that writes expectations."""
    group = parser.getgroup("fulcrum", "events of Fulcrum's scripts")
    group.addoption(
        "--fulcrum-update",
        action="store_true",
        help="write what events came to into files that expect nothing or something else",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep the true stderr, before what tests write is captured."""
    config.stash[_WRITTEN] = []
    with contextlib.suppress(OSError):
        config.stash[_STDERR] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give it back."""
    if _STDERR in config.stash:
        os.close(config.stash[_STDERR])
        del config.stash[_STDERR]


def pytest_enter_pdb(config: pytest.Config) -> None:
    """Who looks at a script with a debugger takes his time."""
    _limit(config).lift()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was written."""
    for path in config.stash[_WRITTEN]:
        terminalreporter.write_line(f"written: {os.path.relpath(path, config.invocation_params.dir)}")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A file of an event, where it belongs to a script."""
    if file_path.name.endswith(SUFFIX) and folder_of(file_path) is not None:
        made: EventFile = EventFile.from_parent(parent, path=file_path)
        return made
    return None


def folder_of(path: Path) -> Path | None:
    """The folder of the script that a file belongs to; None if there is none."""
    for folder in path.parents:
        if any((folder / mark).is_file() for mark in _MARKS):
            return folder
    return None


def _code(config: pytest.Config, path: Path) -> Code:
    """The code of a file's script, loaded once in a run."""
    from fulcrum.script.loading import LoadError

    folder = folder_of(path)
    if folder is None:
        pytest.fail(f"{path} belongs to no script: no folder above it has a main.py", pytrace=False)
    codes = config.stash.setdefault(_CODES, {})
    if folder not in codes:
        codes[folder] = _loaded(folder)
    found = codes[folder]
    if isinstance(found, LoadError):
        pytest.fail(f"the script in {folder} does not load: {found}", pytrace=False)
    return found


def _loaded(folder: Path) -> Code | LoadError:
    from fulcrum.script.loading import LoadError, load

    try:
        return load(folder)
    except LoadError as error:
        return error


def _limit(config: pytest.Config) -> Limit:
    from fulcrum.script.testing.limiting import Limit

    return config.stash.setdefault(_LIMIT, Limit(config.stash.get(_STDERR, None)))


def _report(test: pytest.Item, outcome: wire.Outcome) -> None:
    """What is shown beside a failure of a test: what the script logged, and where it failed."""
    if outcome.logs:
        lines = "\n".join(f"{line.level}: {line.text}" for line in outcome.logs)
        test.add_report_section("call", "log of the script", lines)
    if outcome.failure is not None and outcome.failure.traceback:
        test.add_report_section("call", "traceback of the script", outcome.failure.traceback.rstrip())


class EventFile(pytest.File):
    """One file, which holds one event."""

    def collect(self) -> Iterable[EventItem]:
        """The test that runs it."""
        yield EventItem.from_parent(self, name=self.path.name.removesuffix(SUFFIX))


class Unlike(Exception):
    """What an event came to is not what its file expects."""


class EventItem(pytest.Item):
    """Runs an event and compares."""

    def runtest(self) -> None:
        """Fail with the differences, or write what it came to where that was asked for."""
        from fulcrum.script.testing import comparison, expectation, fixture, rewriting, running

        case = fixture.read(self.path)
        outcome = running.run(_code(self.config, self.path), case, _limit(self.config))
        got = expectation.of(outcome, case.message)
        _report(self, outcome)
        unlike = comparison.differences(case.expected or {}, got, case.tolerance)
        if case.expected is not None and not unlike:
            return
        if self.config.getoption("fulcrum_update"):
            text = self.path.read_text(encoding="utf-8")
            kept = {key: value for key, value in got.items() if key != "logs" or key in (case.expected or {})}
            self.path.write_text(rewriting.with_expected(text, kept), encoding="utf-8")
            self.config.stash[_WRITTEN].append(self.path)
            return
        if case.expected is None:
            block = expectation.write({key: got[key] for key in got if key != "logs"})
            raise Unlike(
                "the file does not say what is expected; it came to what follows. If that is right, put it\n"
                f"into the file, or let it be written by: fulcrum script test --update\n\n{block.rstrip()}"
            )
        raise Unlike("\n".join(map(str, unlike)))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | Any:  # pytest's own type of a terminal representation is not public
        """What people read of a failure: no stack of ours."""
        from fulcrum.script.testing.fixture import FixtureError

        if isinstance(excinfo.value, FixtureError):
            return str(excinfo.value)
        if isinstance(excinfo.value, Unlike | ValueError):
            return f"{self.path.name}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands."""
        return self.path, None, f"event {self.name}"


@pytest.fixture
def script(request: pytest.FixtureRequest) -> Code:
    """The script whose folder the test is in."""
    return _code(request.config, request.path)


@pytest.fixture
def make_message() -> MakeMessage:
    """Makes a message: ``make_message({"temperature": 31.5}, time="2026-03-01T12:00:00Z")``.

    Data by path or as writes; other fields of the wire by their names. What is left out has a plain value.
    """
    from fulcrum.script.testing import fixture

    def made(data: Any = None, **fields: Any) -> dict[str, Any]:
        message, _ = fixture.complete({**fields, **({} if data is None else {"data": data})})
        return message

    return made


@pytest.fixture
def run_events(script: Code, request: pytest.FixtureRequest) -> RunEvents:
    """Runs messages, each of which finds what those before it left, and gives their outcomes.

    ``run_events(messages, device_data={...}, cache=..., params={...})``: the context before the first one;
    also ``script_cache``, ``device``, ``system``, ``blueprint``, ``project``, ``entry``, ``now``, ``seed``.
    ``devices``: definitions by id, where there are several.
    """
    from fulcrum.script.testing import running

    def ran(messages: Sequence[Mapping[str, Any]], **context: Any) -> list[wire.Outcome]:
        cases = [_case(message, context) for message in messages]
        outcomes = running.run_all(script, cases, _limit(request.config))
        for outcome in outcomes:
            _report(request.node, outcome)
        return outcomes

    return ran


@pytest.fixture
def run_event(run_events: RunEvents) -> RunEvent:
    """Runs one message: ``run_event(message, device_data={...})``; context as in ``run_events``."""

    def ran(message: Mapping[str, Any], **context: Any) -> wire.Outcome:
        return run_events([message], **context)[0]

    return ran


_CONTEXT = {
    "device_data": "deviceData",
    "cache": "cache",
    "script_cache": "scriptCache",
    "params": "params",
    "device": "device",
    "system": "system",
    "blueprint": "blueprint",
    "project": "project",
}
_FIELDS = ("entry", "script", "seed")


def _case(message: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
    from fulcrum.script.testing import fixture, instants

    unknown = sorted(set(context) - set(_CONTEXT) - set(_FIELDS) - {"now", "devices"})
    if unknown:
        raise TypeError(f"{unknown[0]}: known are {', '.join((*_CONTEXT, *_FIELDS, 'now', 'devices'))}")
    now = instants.to_ms(context["now"]) if "now" in context else None
    complete, received = fixture.complete(message, now)
    given = {wire: context[name] for name, wire in _CONTEXT.items() if name in context}
    device_id = complete.get("deviceId")
    if device_id in context.get("devices", {}):
        given["device"] = {**given.get("device", {}), **context["devices"][device_id]}
    fields = {name: context[name] for name in _FIELDS if name in context}
    return fixture.Fixture(message=complete, now=received, given=given, **fields)
