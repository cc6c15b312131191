"""What Fulcrum consists of: ``functions/services.yaml``, read, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.processes import ROOT
from local.topology_checks import Problem, cross_references, read_document, schema_problems

SERVICES = ROOT / "functions" / "services.yaml"


class TopologyError(ValueError):
    """The file is wrong. The message has one line for each problem: place, what is wrong, what to do."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(problem.text(source) for problem in problems))


@dataclass(frozen=True)
class Function:
    """One Cloud Function, its code in ``folder``. ``paths`` is empty for one that subscriptions wake."""

    name: str
    description: str
    paths: tuple[str, ...]
    asgi: bool
    memory: str
    cpu: float
    concurrency: int
    timeout_seconds: int
    min_instances: int
    max_instances: int
    publishes: tuple[str, ...]
    stores: tuple[str, ...]
    settings: Mapping[str, str]
    secrets: tuple[str, ...]
    folder: Path
    # Folders of the repository that its package has besides those that every function's has.
    brings: tuple[str, ...] = ()

    @property
    def pushed(self) -> bool:
        """Whether push subscriptions wake it."""
        return not self.paths


@dataclass(frozen=True)
class Topic:
    """A Pub/Sub topic; ``custom`` for a user's own."""

    name: str
    description: str
    custom: bool


@dataclass(frozen=True)
class DeadLetter:
    """Where a message goes after so many deliveries."""

    topic: str
    max_delivery_attempts: int


@dataclass(frozen=True)
class Subscription:
    """A push subscription; times are in seconds."""

    name: str
    topic: str
    function: str
    ack_deadline_seconds: int
    retry_minimum_seconds: int
    retry_maximum_seconds: int
    dead_letter: DeadLetter | None


@dataclass(frozen=True)
class Queue:
    """A queue of Cloud Tasks, whose tasks call a function; times are in seconds."""

    name: str
    function: str
    max_attempts: int
    retry_minimum_seconds: int
    retry_maximum_seconds: int


@dataclass(frozen=True)
class Schedule:
    """A job of Cloud Scheduler: posts ``message`` to a function when ``cron`` says so, in UTC.

    ``paused``: it does nothing until a function resumes it.
    """

    name: str
    function: str
    cron: str
    message: Mapping[str, Any]
    paused: bool = False


@dataclass(frozen=True)
class Topology:
    """All of it, each by name and in the order of the file."""

    functions: Mapping[str, Function]
    topics: Mapping[str, Topic]
    subscriptions: Mapping[str, Subscription]
    queues: Mapping[str, Queue] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)

    def function_at(self, path: str) -> Function | None:
        """The function that serves an HTTP path: a claimed path takes what is below it, the longest wins."""
        best: Function | None = None
        length = -1
        for function in self.functions.values():
            for claimed in function.paths:
                below = claimed.rstrip("/") + "/"
                if (claimed == path or path.startswith(below)) and len(claimed) > length:
                    best, length = function, len(claimed)
        return best


def load(path: Path = SERVICES) -> Topology:
    """Read the file; TopologyError with everything that is wrong with it."""
    source = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
    document, lines, problems = read_document(path.read_bytes())
    problems = problems or schema_problems(document, lines)
    problems = problems or cross_references(document, lines)
    if problems:
        raise TopologyError(source, problems)
    topics = {
        name: Topic(name, item["description"], section == "custom")
        for section in ("topics", "custom")
        for name, item in document[section].items()
    }
    return Topology(
        {name: _function(name, item, path.parent / name) for name, item in document["functions"].items()},
        topics,
        {name: _subscription(name, item) for name, item in document["subscriptions"].items()},
        {name: _queue(name, item) for name, item in document.get("queues", {}).items()},
        {name: _schedule(name, item) for name, item in document.get("schedules", {}).items()},
    )


def _function(name: str, item: Mapping[str, Any], folder: Path) -> Function:
    return Function(
        name=name,
        description=item["description"],
        paths=tuple(item["trigger"].get("http", ())),
        asgi=item["asgi"],
        memory=item["memory"],
        cpu=float(item["cpu"]),
        concurrency=item["concurrency"],
        timeout_seconds=item["timeout_seconds"],
        min_instances=item["min_instances"],
        max_instances=item["max_instances"],
        publishes=tuple(item["publishes"]),
        stores=tuple(item["stores"]),
        settings=dict(item["settings"]),
        secrets=tuple(item.get("secrets", ())),
        folder=folder,
        brings=tuple(item.get("brings", ())),
    )


def _subscription(name: str, item: Mapping[str, Any]) -> Subscription:
    dead = item.get("dead_letter")
    return Subscription(
        name=name,
        topic=item["topic"],
        function=item["function"],
        ack_deadline_seconds=item["ack_deadline_seconds"],
        retry_minimum_seconds=item["retry"]["minimum_seconds"],
        retry_maximum_seconds=item["retry"]["maximum_seconds"],
        dead_letter=DeadLetter(dead["topic"], dead["max_delivery_attempts"]) if dead else None,
    )


def _queue(name: str, item: Mapping[str, Any]) -> Queue:
    retry = item["retry"]
    return Queue(
        name, item["function"], item["max_attempts"], retry["minimum_seconds"], retry["maximum_seconds"]
    )


def _schedule(name: str, item: Mapping[str, Any]) -> Schedule:
    return Schedule(name, item["function"], item["cron"], item["message"], item.get("paused", False))
