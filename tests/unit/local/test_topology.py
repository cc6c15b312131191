"""``functions/services.yaml`` is read whole, and a broken one is refused with the place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.topology import SERVICES, TopologyError, load

GOOD = SERVICES.read_text()


def broken(tmp_path: Path, text: str) -> list[str]:
    """The lines of the error that a file gives."""
    path = tmp_path / "services.yaml"
    path.write_text(text)
    with pytest.raises(TopologyError) as caught:
        load(path)
    return str(caught.value).splitlines()


def line_of(text: str, part: str) -> int:
    """The line, from 1, where ``part`` first stands."""
    return text[: text.index(part)].count("\n") + 1


def test_file_of_the_repository_is_right() -> None:
    topology = load()
    ingest = topology.functions["ingest"]
    assert ingest.paths == ("/rcv", "/ack", "/out")
    assert not ingest.pushed
    assert ingest.settings["RATE_DEVICE_PER_SECOND"] == "100"
    assert topology.functions["transponder"].pushed
    assert topology.subscriptions["writer-transponder"].function == "transponder"
    dead = topology.subscriptions["writer-transponder"].dead_letter
    assert dead is not None
    assert (dead.topic, dead.max_delivery_attempts) == ("dead-letter", 20)
    assert topology.topics["writer"].description == "Events of known devices, to be stored"
    assert topology.queues["timers"].function == "scheduler"
    assert topology.schedules["sweep-timers"].message == {"type": "sweepMsg"}
    assert not topology.schedules["sweep-timers"].paused
    assert topology.schedules["simulate"].paused


# What is changed in the file, and what the error must say: the place, what is wrong, what to do.
BROKEN = {
    "unknown key": (
        "    asgi: true\n",
        "    asgi: true\n    memry: 1Gi\n",
        "functions.ingest.memry: is not known here. Known are: description, trigger",
    ),
    "missing key": ("    cpu: 1\n", "", "functions.ingest: 'cpu' is a required property."),
    "memory without a unit": ("memory: 512Mi", "memory: 512", "functions.ingest.memory: 512 is not of type"),
    "memory with a wrong unit": (
        "memory: 512Mi",
        "memory: 512MB",
        "functions.ingest.memory: '512MB' does not match",
    ),
    "queue that calls no function": (
        "    function: scheduler\n    max_attempts",
        "    function: sheduler\n    max_attempts",
        "queues.timers.function: there is no function 'sheduler'. Use one of",
    ),
    "queue that is tried too often": (
        "    max_attempts: 20\n",
        "    max_attempts: 200\n",
        "queues.timers.max_attempts: 200 is greater than the maximum of 100. 1 to 100.",
    ),
    "schedule of a function with paths": (
        "    function: scheduler\n    cron",
        "    function: ingest\n    cron",
        "schedules.sweep-timers.function: ingest is no function with trigger {push: true}.",
    ),
    "schedule that never comes": (
        'cron: "* * * * *"',
        'cron: "0 0 31 2 *"',
        "schedules.sweep-timers.cron: there is no day 31 in the month 2: it would never come.",
    ),
    "setting that is no text": (
        'SECOND: "5000"',
        "SECOND: 5000",
        "RATE_NETWORK_PER_SECOND: 5000 is not of type 'string'. A value is text: put it in quotes.",
    ),
    "setting with a small letter": (
        "RATE_DEVICE_PER_SECOND",
        "rateDevice",
        "functions.ingest.settings.rateDevice: is no name that can stand here. A setting is named in",
    ),
    "setting of the platform": (
        "RATE_DEVICE_PER_SECOND",
        "CLOCK_FILE",
        "functions.ingest.settings.CLOCK_FILE: is a setting that the platform itself makes.",
    ),
    "both triggers": (
        "trigger: {http: [/rcv, /ack, /out]}",
        "trigger: {http: [/rcv], push: true}",
        "functions.ingest.trigger: ",
    ),
    "path without a slash": ("[/rcv, ", "[rcv, ", "functions.ingest.trigger.http.0: 'rcv' does not match"),
    "path claimed twice": (
        "trigger: {http: [/rcv, /ack, /out]}",
        "trigger: {http: [/rcv, /rcv]}",
        "functions.ingest.trigger.http.1: /rcv is claimed by ingest already. Give one of them another path.",
    ),
    "publishes to no topic": (
        "publishes: [default-processor]",
        "publishes: [default]",
        "functions.ingest.publishes.0: there is no topic 'default'. Use one of default-processor, writer",
    ),
    "store that does not exist": (
        "stores: [firestore]",
        "stores: [mysql]",
        "functions.ingest.stores.0: 'mysql' is not one of",
    ),
    "more instances at least than at most": (
        "min_instances: 0",
        "min_instances: 21",
        "functions.ingest.min_instances: is more than max_instances. Lower it.",
    ),
    "concurrency on part of a CPU": (
        "cpu: 1\n",
        "cpu: 0.5\n",
        "functions.ingest.concurrency: 80 requests at once need a whole vCPU. Set cpu to 1",
    ),
    "push function that nothing wakes": (
        "    function: message_processor",
        "    function: transponder",
        "functions.message_processor.trigger: no subscription wakes it. Add one under subscriptions.",
    ),
    "subscription of no topic": (
        "topic: writer\n",
        "topic: writr\n",
        "subscriptions.writer-transponder.topic: there is no topic 'writr'.",
    ),
    "subscription of no function": (
        "function: transponder",
        "function: transponders",
        "subscriptions.writer-transponder.function: there is no function 'transponders'.",
    ),
    "subscription of an HTTP function": (
        "function: transponder",
        "function: ingest",
        "subscriptions.writer-transponder.function: ingest is no function with trigger {push: true}.",
    ),
    "deadline below the function's time": (
        "ack_deadline_seconds: 60",
        "ack_deadline_seconds: 30",
        "ack_deadline_seconds: is less than the 60 s that message_processor may take",
    ),
    "back-off upside down": (
        "maximum_seconds: 600",
        "maximum_seconds: 5",
        "retry.minimum_seconds: is more than maximum_seconds.",
    ),
    "dead letter to no topic": (
        "dead_letter: {topic: dead-letter",
        "dead_letter: {topic: dead",
        "default-processor-message-processor.dead_letter.topic: there is no topic 'dead'.",
    ),
    "dead letter that goes round": (
        "dead_letter: {topic: dead-letter",
        "dead_letter: {topic: default-processor",
        "dead_letter.topic: is the subscription's own topic",
    ),
    "too few delivery attempts": (
        "max_delivery_attempts: 20",
        "max_delivery_attempts: 4",
        "max_delivery_attempts: 4 is less than the minimum of 5. 5 to 100.",
    ),
    "topic that nobody reads": (
        "topics:\n",
        "topics:\n  unread: {description: Nobody reads it}\n",
        "topics.unread: has no subscription: what is published there is lost.",
    ),
    "custom topic called as a topic": (
        "custom: {}",
        "custom: {writer: {description: Mine}}",
        "custom.writer: is a topic of the platform too. Give the custom topic another name.",
    ),
    "topic called custom": (
        "custom: {}",
        "custom: {custom: {description: Mine}}",
        "custom.custom: is the word for all custom topics.",
    ),
    "text that YAML splits": (
        '"Events of known devices, to be stored"',
        "Events of known devices, to be stored",
        "topics.writer.to be stored: is not known here.",
    ),
    "topic in capitals": (
        "  writer: {",
        "  Writer: {",
        "topics.Writer: is no name that can stand here. A name of topics and subscriptions: lower case",
    ),
    "topic that Google would not make": (
        "custom: {}",
        "custom: {google-mine: {description: Mine}}",
        "custom.google-mine: is no name that can stand here.",
    ),
    "the same subscription twice": (
        "  dead-letter-quarantine:\n    topic: dead-letter\n",
        "  dead-letter-quarantine:\n    topic: quarantine\n",
        "subscriptions.dead-letter-quarantine: wakes quarantine with what quarantine-quarantine",
    ),
    "key twice": (
        "    cpu: 1\n",
        "    cpu: 1\n    cpu: 2\n",
        "functions.ingest.cpu: stands twice, first in line ",
    ),
    "no YAML": ("version: 1", "version: [1", "is no YAML: "),
    "another version": (
        "version: 1",
        "version: 2",
        "version: 1 was expected. The version of this file's form",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_file_is_refused(tmp_path: Path, case: str) -> None:
    before, after, message = BROKEN[case]
    assert before in GOOD
    lines = broken(tmp_path, GOOD.replace(before, after, 1))
    assert any(message in line for line in lines), lines


def test_error_names_the_line(tmp_path: Path) -> None:
    text = GOOD.replace("topic: writer\n", "topic: writr\n")
    (line,) = [line for line in broken(tmp_path, text) if "writr" in line]
    assert line.startswith(f"{tmp_path}/services.yaml:{line_of(text, 'topic: writr')}: ")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("topic: writer\n", "topic: writr\n").replace("[default-processor]", "[default]")
    lines = broken(tmp_path, text)
    assert any("'writr'" in line for line in lines)
    assert any("'default'" in line for line in lines)


def test_dead_letter_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace("custom: {}", "custom: {lost: {description: Nobody reads it}}")
    lines = broken(tmp_path, text.replace("{topic: dead-letter", "{topic: lost", 1))
    assert len(lines) == 1
    assert "dead_letter.topic: lost has no subscription: what ends there is lost." in lines[0]


def test_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_bytes(GOOD.encode().replace(b"Takes events", b"T\xe4kes events"))
    with pytest.raises(TopologyError) as caught:
        load(path)
    line = line_of(GOOD, "Takes events")
    assert str(caught.value) == f"{path}:{line}: byte 0xe4 is no UTF-8. Save the file as UTF-8."


@pytest.mark.parametrize("text", ["", "[]", "functions", "null"])
def test_file_that_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    assert "is not of type 'object'" in broken(tmp_path, text)[0]


def test_longest_path_serves_a_request(tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_text(GOOD.replace("[/rcv, ", "[/rcv, /other/device, "))
    topology = load(path)
    for url, served in {
        "/rcv": True,
        "/rcv/": True,
        "/rcv/network": True,
        "/rcvx": False,
        "/other/device/1": True,
        "/other": False,
        "/": False,
    }.items():
        assert (topology.function_at(url) is not None) is served, url
    path.write_text(GOOD.replace("[/rcv, ", "[/, "))
    assert load(path).function_at("/any/path") is not None
