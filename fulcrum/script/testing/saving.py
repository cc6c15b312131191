"""Makes the fixture of an event that was recorded, from the input of a replay of that one event. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from fulcrum.core import fold
from fulcrum.script import identity
from fulcrum.script.replay import lines
from fulcrum.script.testing import expectation
from fulcrum.script.testing.fixture import Fixture

# What stands where in a fixture, by the name under which an entry point needs it.
_DEFINED = ("device", "system", "blueprint", "project")
_RUN = ("deviceDataEventMsg", "deviceEventAckMsg", "reasonRunScript")


class NotRecorded(ValueError):
    """The input has no such event, or not all of it: what is missing and what to do."""


class NoSuchEvent(NotRecorded):
    """The input has no such event: there is none, or it is data that a script has written."""


def parse(texts: Iterable[str | bytes]) -> Iterator[lines.AnyLine]:
    """The lines of an input; NotRecorded where it breaks off or is none."""
    line: lines.AnyLine | None = None
    for text in texts:
        if not text:
            continue
        try:
            line = lines.decoder.decode(text)
        except msgspec.DecodeError as error:
            raise NotRecorded(f"the answer is no input of a replay: {error}") from None
        yield line
    if not isinstance(line, lines.End):
        raise NotRecorded("the answer broke off: ask again")


def recorded(
    input_: Iterable[lines.AnyLine], event_id: str, device_id: str | None = None, entry: str | None = None
) -> Fixture:
    """The fixture of an event; NotRecorded where the input does not have it, or has it more than once.

    What its entry point needs stands in it, and what its run came to is expected. Where it did not run,
    nothing is.
    """
    header: lines.Header | None = None
    defined: dict[tuple[str, str], dict[str, Any]] = {}
    states: dict[str, str] = {}
    caches: dict[str | None, Any] = {}
    events: list[lines.Event] = []
    for line in input_:
        if isinstance(line, lines.Header):
            header = line
        elif isinstance(line, lines.Definition):
            defined[line.kind, line.id] = line.value
        elif isinstance(line, lines.State):
            states[line.device_id] = line.registers
        elif isinstance(line, lines.CacheLine):
            caches[line.device_id] = line.value
        elif isinstance(line, lines.Event) and _is_it(line, event_id, device_id, entry):
            events.append(line)
    if header is None:
        raise NotRecorded("the answer is no input of a replay: it has no header")
    event = _only(events, event_id)
    given: dict[str, Any] = {"params": event.params} if event.params else {}
    needed = _needed(header, event.entry)
    given |= {kind: value for kind, value in _definitions(header, event, defined) if kind in needed}
    if "deviceData" in needed and event.device_id in states:
        given["deviceData"] = fold.derive(fold.decode(states[event.device_id].encode()))
    for name, key in (("cache", event.device_id), ("scriptCache", None)):
        if name in needed and key in caches and (name == "scriptCache" or key is not None):
            given[name] = caches[key]
    return Fixture(
        message=event.message,
        now=event.now,
        given=given,
        description=_described(event),
        entry=event.entry,
        script=header.script_id,
        seed=event.seed,
        expected=None if event.run is None else expected(event.run, event.message),
    )


def _is_it(event: lines.Event, event_id: str, device_id: str | None, entry: str | None) -> bool:
    return (
        event.message.get("id") == event_id
        and device_id in (None, event.device_id)
        and entry in (None, event.entry)
    )


def _only(events: list[lines.Event], event_id: str) -> lines.Event:
    if not events:
        raise NoSuchEvent(
            f"there is no event {event_id!r} for the script: check its id, its device and --since"
        )
    ways = {(event.device_id, event.entry, msgspec.json.encode(event.params)) for event in events}
    if len(ways) > 1:
        told = ", ".join(sorted({f"{event.entry} for device {event.device_id}" for event in events}))
        raise NotRecorded(f"{event_id!r} ran more than once ({told}): say which one by --device or --entry")
    return events[0]


def _needed(header: lines.Header, entry: str) -> frozenset[str]:
    """What the entry point is given; everything where that is not known."""
    for known in header.entries:
        if known.name == entry:
            return frozenset(known.needs)
    return frozenset((*_DEFINED, "deviceData", "cache", "scriptCache"))


def _definitions(
    header: lines.Header, event: lines.Event, defined: Mapping[tuple[str, str], dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    device = defined.get(("device", event.device_id or ""), {})
    ids = {
        "device": event.device_id,
        "system": event.message.get("systemId") or device.get("systemId"),
        "blueprint": event.message.get("blueprintId") or device.get("blueprintId"),
        "project": header.project_id,
    }
    for kind, id_ in ids.items():
        if (kind, id_ or "") in defined:
            yield kind, defined[kind, id_ or ""]


def _described(event: lines.Event) -> str:
    ran = f", run by version {event.run.version}" if event.run is not None else ""
    return f"Recorded of device {event.device_id}{ran}"


def expected(run: lines.Run, message: Mapping[str, Any]) -> dict[str, Any]:
    """What a recorded run came to, as a fixture expects it."""
    if run.status == "failed":
        said = {"kind": run.failure_kind, "type": run.failure_type, "message": run.failure_message}
        return {"status": "failed", "failure": {key: value for key, value in said.items() if value}}
    if run.status == "unmet":
        return {"status": "unmet"}
    result = {"stopped": False, "replaced": run.message or {}}.get(run.result or "")
    made: dict[str, Any] = {
        "result": expectation.changed(result, message),
        "effects": [expectation.effect(lines.asked(effect)) for effect in run.effects],
    }
    if run.cache is not None:
        made["cache"] = run.cache.value
    if run.script_cache is not None:
        made["scriptCache"] = run.script_cache.value
    return made


def set_aside(
    data: bytes, options: Mapping[str, Any], script_id: str, event_id: str | None = None
) -> Fixture:
    """The fixture of a message that was set aside, from its original bytes and its options.

    NotRecorded for what is no message that a script is run on, or several of which none is named.
    """
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotRecorded(f"what was set aside is no message: {error}") from None
    if isinstance(found, dict) and found.get("type") == "routeMsg":
        options, found = found.get("options") or options, found.get("message")
    messages = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]
    chosen = [one for one in messages if event_id in (None, one.get("id"))]
    if len(chosen) != 1:
        known = ", ".join(str(one.get("id")) for one in messages[:20]) or "none"
        raise NotRecorded(f"it holds {len(messages)} messages: name one of them by its id: {known}")
    message = chosen[0]
    if message.get("type") not in _RUN:
        raise NotRecorded(f"a {message.get('type')} is nothing that a script is run on")
    reasoner = options.get("reasoner")
    reasoner = dict(reasoner) if isinstance(reasoner, Mapping) else {}
    params = {key: value for key, value in reasoner.items() if key not in ("id", "targetFunction")}
    project_id, device_id, id_, hash_ = (
        str(message.get(key) or "") for key in ("projectId", "deviceId", "id", "hash")
    )
    return Fixture(
        message=message,
        now=message.get("receivedTime") or message.get("time") or 0,
        given={"params": params} if params else {},
        entry=str(reasoner.get("targetFunction", "run")),
        script=script_id,
        seed=identity.seed(project_id, device_id, id_, hash_, script_id),
    )
