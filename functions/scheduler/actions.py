"""What timers do: which actions there are, and what each publishes when its timer fires. Pure.

Whatever a timer publishes bears an id that follows from the timer, what set it and the instant: a firing that
is repeated is the same message to whoever gets it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from functions.scheduler.timers import Timer
from shared import url_rules
from shared.errors import Rejected
from shared.messages import VERSION
from shared.url_rules import Network

MAX_BYTES = 200_000
REASON, WRITER = "reason", "writer"
# The platform's own topics that a timer may publish to.
TOPICS = frozenset({REASON, WRITER})
# What a message to the writer says of its device, as the device's document has it.
OF_DEVICE = ("systemId", "blueprintId", "networkId")
_NOBODY: Mapping[str, str] = {}
# What the message of an action may say of a run, beside what its timer says.
_GIVEN = ("deviceId", "systemId", "setBy", "source", "userId")
_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")
_encode = msgspec.json.encode


class _Action(msgspec.Struct, frozen=True, rename="camel", tag_field="type", kw_only=True):
    pass


class PublishTopic(_Action, frozen=True, kw_only=True, tag="publishTopic"):
    """Publishes ``message``. ``options``: of ``reason`` they say which script runs, with which parameters."""

    topic: Annotated[str, Meta(max_length=255)]
    message: dict[str, Any] = {}
    options: dict[str, Any] | None = None


class QueryUrl(_Action, frozen=True, kw_only=True, tag="queryUrl"):
    """Calls a URL. A ``body`` that is text goes as it is, anything else as JSON."""

    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    header: dict[str, str] = {}
    body: Any = None


Action = PublishTopic | QueryUrl


class Message(NamedTuple):
    """What is published: a topic, the data, the attributes."""

    topic: str
    data: bytes
    attributes: dict[str, str]


def parse(definition: Mapping[str, Any], topics: frozenset[str], allowed: tuple[Network, ...]) -> Action:
    """An action from its JSON object; Rejected (``timer.action``) says what is wrong with it.

    ``topics``: those that a timer may publish to. ``allowed``: networks that may be called though private.
    """
    try:
        if len(_encode(definition)) > MAX_BYTES:
            raise Rejected("timer.action", f"action: more than {MAX_BYTES} bytes")
        action: Action = msgspec.convert(definition, Action)
    except msgspec.ValidationError as error:
        raise Rejected("timer.action", f"action: {error}") from None
    if isinstance(action, PublishTopic):
        if action.topic not in topics:
            raise Rejected("timer.action", f"action: there is no topic {action.topic[:100]!r} for timers")
        if action.topic == REASON:
            _reasoner(action)
    elif isinstance(action, QueryUrl):
        try:
            url_rules.check_url(action.url, allowed)
        except Rejected as error:
            raise Rejected("timer.action", f"action: {error.message}") from None
    return action


def written_device(action: PublishTopic, timer: Timer) -> str | None:
    """Whose data an action writes, None where it writes none; Rejected for what is no device's id."""
    if action.topic != WRITER:
        return None
    device_id = action.message.get("deviceId", timer.device_id)
    # It becomes the name of a document: one that cannot be one would spoil the calls of others' events.
    if not isinstance(device_id, str) or not _ID.match(device_id):
        raise Rejected("timer.action", f"action: deviceId {str(device_id)[:100]!r} is the id of nothing")
    return device_id


def message(
    action: PublishTopic, timer: Timer, fire_id: str, due: int, device: Mapping[str, str] = _NOBODY
) -> Message:
    """What a timer that is due publishes. ``fire_id`` names the firing, ``device`` whose data are written."""
    attributes = {"v": VERSION, "hops": "0", "projectId": timer.project_id}
    if action.topic == REASON:
        inner, options = _reasoner(action)
        return Message(REASON, _encode(_run(timer, fire_id, due, inner, options)), attributes)
    if action.topic == WRITER:
        return Message(WRITER, _encode(_data(timer, fire_id, due, action.message, device)), attributes)
    # A user's own topic gets the message as he wrote it, but whose it is is never his to say.
    given = action.message
    if "projectId" in given:
        given = {**given, "projectId": timer.project_id}
    named = {"id": fire_id, "timerId": timer.timer_id[:200], "time": str(due)}
    return Message(action.topic, _encode(given), {**attributes, **named})


def _reasoner(action: PublishTopic) -> tuple[dict[str, Any], dict[str, Any]]:
    """The message and the options of an action that runs a script; both may stand in a ``routeMsg``."""
    message, options = action.message, action.options or {}
    if message.get("type") == "routeMsg":
        message, options = message.get("message") or {}, message.get("options") or options
    reasoner = options.get("reasoner") if isinstance(options, dict) else None
    if not isinstance(reasoner, dict) or not isinstance(reasoner.get("id"), str):
        raise Rejected("timer.action", "action: the options name no script: {reasoner: {id}}")
    if not isinstance(message, dict):
        raise Rejected("timer.action", "action: the message is no object")
    return message, options


def _run(
    timer: Timer, fire_id: str, due: int, given: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    about = {"deviceId": timer.device_id, "systemId": timer.system_id}
    inner = {
        **{key: value for key, value in about.items() if value},
        **{key: given[key] for key in _GIVEN if given.get(key)},
        "type": "reasonRunScript",
        "id": fire_id,
        "time": due,
        "projectId": timer.project_id,
        "timerId": timer.timer_id,
    }
    return {"type": "routeMsg", "message": inner, "options": options}


def _data(
    timer: Timer, fire_id: str, due: int, given: Mapping[str, Any], device: Mapping[str, str]
) -> dict[str, Any]:
    """Data of a device, as the writer stores it: at the instant at which the timer was due."""
    data = given.get("data", [])
    if isinstance(data, dict):
        one = {"path", "value"} <= data.keys()
        data = [data] if one else [{"path": path, "value": value} for path, value in data.items()]
    return {
        **given,
        # What the device is of is never the message's to say: by it the rows of the history are found.
        **dict.fromkeys(OF_DEVICE),
        **device,
        "type": "deviceDataEventMsg",
        "id": fire_id,
        "hash": fire_id,
        "time": due,
        "receivedTime": due,
        "projectId": timer.project_id,
        "data": data,
        "source": "timer",
    }
