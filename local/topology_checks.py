"""What can be wrong with ``functions/services.yaml``: its YAML, its form, names that do not fit together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from shared.model import cron

Place = tuple[str | int, ...]
Lines = Mapping[Place, int]

# Settings that the platform itself hands to every function (see shared.config).
_RESERVED = {
    "BIGQUERY_DATASET",
    "BIGQUERY_STORAGE_ENDPOINT",
    "CLOCK_FILE",
    "FUNCTIONS_ENDPOINT",
    "LOGGING_ENDPOINT",
    "LOG_FORMAT",
    "SCHEDULER_ENDPOINT",
    "TASKS_ENDPOINT",
    "TWILIO_ENDPOINT",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where (path of keys, line from 1), what, and what to do about it."""

    place: Place
    line: int
    what: str
    advice: str

    def text(self, source: str) -> str:
        """One line for people, in the form that editors jump to."""
        where = ".".join(str(part) for part in self.place)
        return f"{source}:{self.line}: {where + ': ' if where else ''}{self.what} {self.advice}".rstrip()


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads((Path(__file__).with_name("services.schema.json")).read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def read_document(data: bytes) -> tuple[Any, Lines, list[Problem]]:
    """Parse YAML into (document, line of every place, problems); a key that stands twice is a problem."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return (
            None,
            {},
            [Problem((), line, f"byte {data[error.start]:#x} is no UTF-8.", "Save the file as UTF-8.")],
        )
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = f"is no YAML: {getattr(error, 'problem', None) or error}."
        line = mark.line + 1 if mark else 1
        return None, {}, [Problem((), line, what, "Correct the syntax there or just before.")]
    lines: dict[Place, int] = {}
    problems: list[Problem] = []
    if node is not None:
        _note_lines(node, (), lines, problems)
    return document, lines, problems


def _note_lines(node: Any, place: Place, lines: dict[Place, int], problems: list[Problem]) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, str(key.value))
            line = key.start_mark.line + 1
            if below in lines:
                advice = "Remove one of them; YAML would keep the last."
                problems.append(Problem(below, line, f"stands twice, first in line {lines[below]}.", advice))
                continue
            lines[below] = line
            _note_lines(value, below, lines, problems)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*place, index), lines, problems)


def schema_problems(document: Any, lines: Lines) -> list[Problem]:
    """What the JSON schema says, with the description of the violated part as advice."""
    found = [_from_schema(error, lines) for error in _validator().iter_errors(document)]
    return sorted(found, key=lambda problem: problem.line)


def _from_schema(error: ValidationError, lines: Lines) -> Problem:
    place: Place = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    what = error.message[:1].lower() + error.message[1:] + "."
    if error.validator == "additionalProperties":
        instance: Any = error.instance
        extra = sorted(set(instance) - set(schema["properties"]))
        known = ", ".join(schema["properties"])
        place = (*place, str(extra[0]))
        what = "is not known here."
        return Problem(place, _line(lines, place), what, f"Known are: {known}.")
    if error.parent is None and error.validator == "pattern" and isinstance(error.instance, str):
        below = (*place, error.instance)
        if below in lines:  # an error about the name of a key
            place = below
            what = "is no name that can stand here."
    return Problem(place, _line(lines, place), what, str(schema.get("description", "")))


def _line(lines: Lines, place: Place) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def cross_references(document: Mapping[str, Any], lines: Lines) -> list[Problem]:
    """Names that must fit together in a document that has the right form."""
    found = [*_topics(document), *_functions(document), *_subscriptions(document), *_calls(document)]
    return sorted(
        (Problem(place, _line(lines, place), what, advice) for place, what, advice in found),
        key=lambda problem: problem.line,
    )


Finding = tuple[Place, str, str]


def _topics(document: Mapping[str, Any]) -> Iterator[Finding]:
    subscribed = {item["topic"] for item in document["subscriptions"].values()}
    for name in document["custom"]:
        if name in document["topics"]:
            yield ("custom", name), "is a topic of the platform too.", "Give the custom topic another name."
    for section in ("topics", "custom"):
        if "custom" in document[section]:
            yield (
                (section, "custom"),
                "is the word for all custom topics.",
                "Give the topic another name.",
            )
    for name in document["topics"]:
        if name not in subscribed:
            yield (
                ("topics", name),
                "has no subscription: what is published there is lost.",
                "Add one under subscriptions, or remove the topic.",
            )


def _functions(document: Mapping[str, Any]) -> Iterator[Finding]:
    claimed: dict[str, str] = {}
    woken = {item["function"] for item in document["subscriptions"].values()}
    for name, item in document["functions"].items():
        place: Place = ("functions", name)
        for index, path in enumerate(item["trigger"].get("http", ())):
            if path in claimed:
                yield (
                    (*place, "trigger", "http", index),
                    f"{path} is claimed by {claimed[path]} already.",
                    "Give one of them another path.",
                )
            claimed.setdefault(path, name)
        if "push" in item["trigger"] and name not in woken:
            yield (*place, "trigger"), "no subscription wakes it.", "Add one under subscriptions."
        for index, topic in enumerate(item["publishes"]):
            if topic != "custom" and topic not in {**document["topics"], **document["custom"]}:
                yield (*place, "publishes", index), *_no_topic(document, topic)
        if item["min_instances"] > item["max_instances"]:
            yield (*place, "min_instances"), "is more than max_instances.", "Lower it."
        if item["concurrency"] > 1 and item["cpu"] < 1:
            yield (
                (*place, "concurrency"),
                f"{item['concurrency']} requests at once need a whole vCPU.",
                "Set cpu to 1 or more, or concurrency to 1.",
            )
        for setting in item["settings"]:
            if setting in _RESERVED:
                yield (
                    (*place, "settings", setting),
                    "is a setting that the platform itself makes.",
                    "Give it another name.",
                )


def _no_topic(document: Mapping[str, Any], topic: str) -> tuple[str, str]:
    known = ", ".join([*document["topics"], *document["custom"]])
    return f"there is no topic {topic!r}.", f"Use one of {known}, or declare it under topics."


def _subscriptions(document: Mapping[str, Any]) -> Iterator[Finding]:
    topics = {**document["topics"], **document["custom"]}
    subscribed = {item["topic"] for item in document["subscriptions"].values()}
    woken: dict[tuple[str, str], str] = {}
    for name, item in document["subscriptions"].items():
        place: Place = ("subscriptions", name)
        first = woken.setdefault((item["topic"], item["function"]), name)
        if first != name:
            yield (
                place,
                f"wakes {item['function']} with what {first} wakes it with: it would do everything twice.",
                "Remove one of them.",
            )
        if item["topic"] not in topics:
            yield (*place, "topic"), *_no_topic(document, item["topic"])
        yield from _target(document, place, item)
        retry = item["retry"]
        if retry["minimum_seconds"] > retry["maximum_seconds"]:
            yield (*place, "retry", "minimum_seconds"), "is more than maximum_seconds.", "Lower it."
        dead = item.get("dead_letter")
        if dead is None:
            continue
        where = (*place, "dead_letter", "topic")
        if dead["topic"] not in topics:
            yield where, *_no_topic(document, dead["topic"])
        elif dead["topic"] == item["topic"]:
            yield where, "is the subscription's own topic: messages would go round.", "Use another topic."
        elif dead["topic"] not in subscribed:
            yield (
                where,
                f"{dead['topic']} has no subscription: what ends there is lost.",
                "Add one under subscriptions.",
            )


def _calls(document: Mapping[str, Any]) -> Iterator[Finding]:
    """What calls functions besides topics: queues and schedules."""
    for section in ("queues", "schedules"):
        for name, item in document.get(section, {}).items():
            yield from _called(document, (section, name), item)
    for name, item in document.get("queues", {}).items():
        if item["retry"]["minimum_seconds"] > item["retry"]["maximum_seconds"]:
            place: Place = ("queues", name, "retry", "minimum_seconds")
            yield place, "is more than maximum_seconds.", "Lower it."
    for name, item in document.get("schedules", {}).items():
        if found := cron.problem(item["cron"]):
            yield ("schedules", name, "cron"), f"{found}.", "Write five fields, such as */5 * * * *."


def _called(document: Mapping[str, Any], place: Place, item: Mapping[str, Any]) -> Iterator[Finding]:
    function = document["functions"].get(item["function"])
    if function is None:
        known = ", ".join(document["functions"])
        yield (
            (*place, "function"),
            f"there is no function {item['function']!r}.",
            f"Use one of {known}, or declare it under functions.",
        )
    elif "push" not in function["trigger"]:
        yield (
            (*place, "function"),
            f"{item['function']} is no function with trigger {{push: true}}.",
            "Change its trigger, or name another function.",
        )


def _target(document: Mapping[str, Any], place: Place, item: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _called(document, place, item)
    function = document["functions"].get(item["function"])
    if (
        function is not None
        and "push" in function["trigger"]
        and item["ack_deadline_seconds"] < function["timeout_seconds"]
    ):
        yield (
            (*place, "ack_deadline_seconds"),
            f"is less than the {function['timeout_seconds']} s that {item['function']} may take: "
            "Pub/Sub would deliver again while it is at work.",
            "Raise it to that, or lower timeout_seconds.",
        )
