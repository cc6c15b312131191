"""From a delivery to runs: which entry point of which script is to see which message. Pure.

Every message by itself, so that a bad one costs no other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from fulcrum.core import ids
from fulcrum.script import wire
from shared import history
from shared.envelope import Delivery, unwrap
from shared.errors import Rejected
from shared.messages import DeviceDataEvent, DeviceEventAck, ReasonRunScript
from shared.routes import RouteError, canonical, is_concurrent
from shared.run_records import Ids

WRITER = "writer"
MAX_NAME = 128
_ID = r"(?!__)[A-Za-z0-9_\-]{1,128}\Z"

Message = DeviceDataEvent | DeviceEventAck | ReasonRunScript

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_TYPES = ("deviceDataEventMsg", "deviceEventAckMsg", "reasonRunScript")
_canonical = msgspec.json.Encoder(order="deterministic").encode
# UnicodeDecodeError is none of msgspec's own errors; RecursionError comes from very deep nesting.
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Typed(msgspec.Struct):
    type: Any = None


_type_decoder = msgspec.json.Decoder(_Typed)


class Reasoner(msgspec.Struct, frozen=True):
    """What the options of a step say: the script (its id or alias), its entry point, its parameters."""

    script: str
    entry: str
    params: dict[str, Any]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a run: now, or at the first time, if it has a record of that (``repeated``).

    ``started`` in epoch ms; ``received``, of a repeat: what time it was for the script at the first time.
    ``devices``: ids (system, blueprint, network) of the devices that its effects concern beside the message's
    own. ``problem``: why it came to nothing, where it failed.
    """

    outcome: wire.Outcome
    version: int
    started: int
    received: int | None = None
    call_id: str | None = None
    seq: int | None = None
    repeated: bool = False
    devices: Mapping[str, Ids] = {}
    problem: Rejected | None = None


class Run(msgspec.Struct, eq=False, kw_only=True):
    """One message for one entry point of a script.

    ``raw`` are its bytes as they came, ``index`` its place in the delivery. ``step`` tells two places of one
    script in a route apart; ``goes_on``: whether that has a rest, so that the result counts. ``key`` names
    the run once the script's id is known. In the end either ``done`` or ``refused`` (set aside) or ``again``
    (no time was left: it is to come once more) is set.
    """

    message: Message
    raw: msgspec.Raw
    index: int
    params: Mapping[str, Any]
    step: str
    follows: Literal["input", "result"]
    goes_on: bool
    key: str = ""
    seed: str = ""
    script_id: str = ""
    done: Done | None = None
    refused: Rejected | None = None
    again: bool = False

    @property
    def now(self) -> int:
        """What time it is for the script: when the event was received, or when a timer was due.

        Of a repeat what it was at the first time: sent once more, an event is received later.
        """
        if self.done is not None and self.done.received is not None:
            return self.done.received
        message = self.message
        return message.time if isinstance(message, ReasonRunScript) else message.received_time

    @property
    def content_hash(self) -> str:
        """With its id the message's identity. What has no hash is told apart by all that it says."""
        message = self.message
        if isinstance(message, DeviceDataEvent):
            return message.hash
        return "" if isinstance(message, ReasonRunScript) else ids.digest(_canonical(message))


class Refusal(msgspec.Struct, frozen=True):
    """A message that cannot be run at all."""

    raw: bytes | msgspec.Raw
    index: int
    error: Rejected


class Batch(msgspec.Struct, frozen=True):
    """The messages of one delivery, with the options of this step and the rest of the route."""

    reasoner: Reasoner
    runs: list[Run]
    refusals: list[Refusal]
    options: Mapping[str, Any]
    route: Any


def decode(delivery: Delivery) -> Batch:
    """The runs of a delivery; Rejected if it cannot even be split into messages."""
    contents = unwrap(delivery.data)
    try:
        found = reasoner(contents.options)
    except Rejected as error:
        every = [Refusal(raw, index, error) for index, raw in enumerate(contents.messages)]
        return Batch(Reasoner("", "", {}), [], every, contents.options, contents.route)
    step = step_of(contents.options, contents.route)
    follows: Literal["input", "result"] = "result" if leads_to_writer(contents.route) else "input"
    runs: list[Run] = []
    refusals: list[Refusal] = []
    for index, raw in enumerate(contents.messages):
        try:
            message = _message(raw)
        except Rejected as error:
            refusals.append(Refusal(raw, index, error))
            continue
        runs.append(
            Run(
                message=message,
                raw=raw,
                index=index,
                params=found.params,
                step=step,
                follows=follows,
                goes_on=bool(contents.route),
            )
        )
    return Batch(found, runs, refusals, contents.options, contents.route)


def reasoner(options: Mapping[str, Any]) -> Reasoner:
    """The script that the options of a step name; Rejected (``script.options``) if they name none."""
    given = options.get("reasoner")
    if not isinstance(given, dict):
        raise Rejected("script.options", 'the options name no script: "reasoner": {"id": <its id or alias>}')
    script, entry = given.get("id"), given.get("targetFunction", "run")
    for name, value in (("id", script), ("targetFunction", entry)):
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
            raise Rejected("script.options", f"reasoner.{name} is no text of 1 to {MAX_NAME} characters")
    params = {key: value for key, value in given.items() if key not in ("id", "targetFunction")}
    return Reasoner(str(script), str(entry), params)


def step_of(options: Mapping[str, Any], route: Any) -> str:
    """What tells places in a route apart: the options of the step, and what comes after it."""
    return ids.digest(_canonical(options), _canonical(route or []))


def leads_to_writer(route: Any) -> bool:
    """Whether the rest of a route passes the writer: then what a script leaves is what is written.

    Otherwise the message is written beside or before the script, as it came.
    """
    try:
        return _passes_writer(canonical(route or []))
    except RouteError:
        return False


def _passes_writer(series: list[Any]) -> bool:
    for element in series:
        if isinstance(element, str):
            found = element == WRITER
        elif is_concurrent(element):
            found = any(map(_passes_writer, element["routes"]))
        else:
            found = element["topic"] == WRITER or _passes_writer(element.get("route", []))
        if found:
            return True
    return False


@lru_cache(maxsize=20_000)
def _is_id(text: str) -> bool:
    return re.match(_ID, text) is not None


def _checked(message: Message) -> Message:
    """A message whose ids can be those of documents, and whose times a calendar has; Rejected otherwise.

    One that cannot would spoil the calls of the whole batch.
    """
    blueprint = None if isinstance(message, ReasonRunScript) else message.blueprint_id
    for text in (message.project_id, message.device_id, message.system_id, blueprint):
        if text is not None and not _is_id(text):
            raise Rejected("message.badId", f"{text[:128]!r} is the id of nothing")
    history.time_us(message.time)
    if not isinstance(message, ReasonRunScript):
        history.time_us(message.received_time)
    return message


def _message(raw: msgspec.Raw) -> Message:
    try:
        return _checked(_decoder.decode(raw))
    except _UNDECODABLE as error:
        problem = error
    if isinstance(problem, msgspec.ValidationError):
        try:
            kind = _type_decoder.decode(raw).type
        except _UNDECODABLE:
            kind = None
        if kind not in _TYPES:
            raise Rejected("message.unknownType", f"{kind!r} is no message that a script is run on")
    raise Rejected("message.undecodable", f"not a message: {problem}")
