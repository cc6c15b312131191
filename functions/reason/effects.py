"""What a script asks for, as messages to those who carry it out. Pure.

The ids of effects follow from the run and their place in it, and every receiver takes one id once: so a
repeat changes nothing. All that an effect's message says follows from the event and the record of its run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from fulcrum.core import fold, ids
from fulcrum.script import wire
from fulcrum.script.identity import effect_id
from functions.reason.decode import Run
from functions.reason.times import problem_of_time
from shared import outbound
from shared.errors import Rejected
from shared.messages import (
    CancelTimer,
    DeviceDataEvent,
    InboundDataEvent,
    OutboundInit,
    ReasonRunScript,
    SetTimer,
)
from shared.routes import Step
from shared.run_records import Ids

SOURCE = "script"
REASON = "reason"
# Where a timer may publish beside the users' own topics.
TIMER_TOPICS = (REASON, "writer")
# What is longer goes through no topic.
MAX_MESSAGE_BYTES = 900_000
_ID = r"(?!__)[A-Za-z0-9_\-]{1,128}\Z"
_encode = msgspec.json.Encoder().encode


class Sending(NamedTuple):
    """One message of an effect, and where it goes."""

    data: bytes
    step: Step


class Known(NamedTuple):
    """What effects are checked against: the users' topics, and the devices beside the runs' own."""

    topics: frozenset[str]
    devices: Mapping[str, Ids]


def devices_of(outcome: wire.Outcome) -> set[str]:
    """The devices that an outcome's effects concern."""
    of_devices = wire.SetDeviceData | wire.SendMessage
    return {effect.device_id for effect in outcome.effects if isinstance(effect, of_devices)}


def is_id(device_id: str) -> bool:
    """Whether a device can have that id."""
    return re.match(_ID, device_id) is not None


def own_ids(run: Run) -> Ids | None:
    """What a run's message says of its device; None where it does not say all."""
    message = run.message
    if isinstance(message, ReasonRunScript):
        return None
    network = message.network_id if isinstance(message, DeviceDataEvent) else None
    return Ids(message.system_id, message.blueprint_id, network)


def problem(run: Run, outcome: wire.Outcome, known: Known) -> str:
    """What is wrong with an outcome's effects, and what to do about it; empty if nothing is."""
    try:
        for index, sending in enumerate(sendings(run, outcome, known.devices, check=known)):
            if len(sending.data) > MAX_MESSAGE_BYTES:
                size = f"has {len(sending.data)} bytes; at most {MAX_MESSAGE_BYTES}"
                return f"effect {index} ({_kind(outcome.effects[index])}) {size}"
    except Rejected as error:
        return error.message
    return ""


def sendings(
    run: Run, outcome: wire.Outcome, devices: Mapping[str, Ids], check: Known | None = None
) -> Iterator[Sending]:
    """The messages of an outcome's effects, in order. With ``check``, Rejected for one that cannot go."""
    for index, effect in enumerate(outcome.effects):
        identity = effect_id(run.key, index)
        if isinstance(effect, wire.SetTimer | wire.CancelTimer):
            # Stamps of one run are in the order in which the script asked.
            identity = f"{index:03d}-{identity}"
        made = _MAKERS[type(effect)](run, effect, identity, devices)
        if check is not None and (wrong := _CHECKS[type(effect)](run, effect, check)):
            raise Rejected("script.effect", f"effect {index} ({_kind(effect)}): {wrong}")
        yield made


def _kind(effect: wire.Effect) -> str:
    return type(effect).__name__


def _email(run: Run, effect: Any, identity: str, devices: Mapping[str, Ids]) -> Sending:
    return _to_people("email", "emailMsg", run, effect.message, identity)


def _sms(run: Run, effect: Any, identity: str, devices: Mapping[str, Ids]) -> Sending:
    return _to_people("messenger", "smsMsg", run, effect.message, identity)


def _to_people(topic: str, kind: str, run: Run, given: Mapping[str, Any], identity: str) -> Sending:
    # Whose it is and which one it is are never the script's to say.
    named = {"type": kind, "id": identity, "projectId": run.message.project_id}
    return Sending(_encode({**given, **named}), Step(topic, {}, []))


def _data(run: Run, effect: wire.SetDeviceData, identity: str, devices: Mapping[str, Ids]) -> Sending:
    project_id = run.message.project_id
    if effect.route:
        inbound = InboundDataEvent(
            id=identity,
            hash=identity,
            time=effect.time,
            received_time=run.now,
            project_id=project_id,
            device_id=effect.device_id,
            data=effect.data,
            source=SOURCE,
        )
        return Sending(_encode(inbound), Step("default-processor", {}, []))
    own = own_ids(run) if effect.device_id == run.message.device_id else None
    known = own or devices.get(effect.device_id) or Ids()
    event = DeviceDataEvent(
        id=identity,
        hash=identity,
        time=effect.time,
        received_time=run.now,
        project_id=project_id,
        device_id=effect.device_id,
        system_id=known.system,
        blueprint_id=known.blueprint,
        network_id=known.network,
        data=effect.data,
        source=SOURCE,
        script_id=run.script_id,
    )
    return Sending(_encode(event), Step("writer", {}, []))


def _message(run: Run, effect: wire.SendMessage, identity: str, devices: Mapping[str, Ids]) -> Sending:
    return Sending(_encode(_init(run, effect, identity)), Step("outbound", {}, []))


def _init(run: Run, effect: wire.SendMessage, identity: str) -> OutboundInit:
    return OutboundInit(
        msg_id=identity,
        time=run.now,
        expire_time=run.now + (outbound.DEFAULT_TTL_MS if effect.ttl is None else effect.ttl),
        project_id=run.message.project_id,
        device_id=effect.device_id,
        message=effect.message,
        key=effect.key,
        source=SOURCE,
    )


def timer_id(run: Run, own: str) -> str:
    """A timer's id: what a script calls it is its own, for each device."""
    return ids.digest("timer", run.script_id, run.message.device_id or "", own)


def _set_timer(run: Run, effect: wire.SetTimer, identity: str, devices: Mapping[str, Ids]) -> Sending:
    message = run.message
    own = timer_id(run, effect.id)
    timer = SetTimer(
        id=own,
        stamp=(run.now, identity),
        project_id=message.project_id,
        system_id=message.system_id,
        device_id=effect.device_id,
        script_id=run.script_id,
        timer=effect.timer,
        action=effect.action if effect.action is not None else _runs_script(run, effect, own, identity),
    )
    return Sending(_encode(timer), Step("scheduler", {}, []))


def _runs_script(run: Run, effect: wire.SetTimer, own: str, identity: str) -> dict[str, Any]:
    """The action of a timer that runs the script again; who fires it adds ``id`` and ``time``."""
    message: dict[str, Any] = {
        "type": "reasonRunScript",
        "projectId": run.message.project_id,
        "timerId": own,
        # By it the way of what set the timer leads on to what the timer had run.
        "setBy": identity.partition("-")[2],
        "source": SOURCE,
    }
    if effect.device_id:
        message["deviceId"] = effect.device_id
    if run.message.system_id:
        message["systemId"] = run.message.system_id
    reasoner = {**effect.params, "id": run.script_id, "targetFunction": effect.entry}
    return {
        "type": "publishTopic",
        "topic": REASON,
        "message": {"type": "routeMsg", "message": message, "options": {"reasoner": reasoner}},
    }


def _cancel_timer(run: Run, effect: wire.CancelTimer, identity: str, devices: Mapping[str, Ids]) -> Sending:
    cancel = CancelTimer(
        id=timer_id(run, effect.id), stamp=(run.now, identity), project_id=run.message.project_id
    )
    return Sending(_encode(cancel), Step("scheduler", {}, []))


def _publish(run: Run, effect: wire.Publish, identity: str, devices: Mapping[str, Ids]) -> Sending:
    message = run.message
    named: dict[str, Any] = {"projectId": message.project_id}
    if effect.topic == REASON:
        named |= {"type": "reasonRunScript", "id": identity, "source": SOURCE}
        device = {"deviceId": message.device_id} if message.device_id else {}
        made = {"time": run.now, **device, **effect.message, **named}
    else:
        made = {"id": identity, **effect.message, **named}
    return Sending(_encode(made), Step(effect.topic, effect.options, []))


_MAKERS: dict[type, Callable[..., Sending]] = {
    wire.SendEmail: _email,
    wire.SendSms: _sms,
    wire.SetDeviceData: _data,
    wire.SendMessage: _message,
    wire.SetTimer: _set_timer,
    wire.CancelTimer: _cancel_timer,
    wire.Publish: _publish,
}


def _email_problem(run: Run, effect: wire.SendEmail, known: Known) -> str:
    message = effect.message
    if not (message.get("to") or message.get("blindTo")):
        return "it goes to nobody: name an address in to"
    named = message.get("template") or message.get("templateId")
    if not named and (not message.get("subject") or not (message.get("text") or message.get("html"))):
        return "it needs a subject, and text or html, or a template"
    addresses = [each for key in ("to", "cc", "bcc", "blindTo") for each in _listed(message.get(key))]
    wrong = next((each for each in addresses if not isinstance(each, str) or "@" not in each), None)
    return f"{wrong!r} is no address" if wrong is not None else ""


def _sms_problem(run: Run, effect: wire.SendSms, known: Known) -> str:
    message = effect.message
    recipients = _listed(message.get("recipients"))
    if not recipients:
        return "it goes to nobody: name a number in recipients"
    wrong = next((each for each in recipients if not str(each).strip().startswith("+")), None)
    if wrong is not None:
        return f"{wrong!r} is no number with its country's prefix, such as +4791234567"
    if not (message.get("message") or message.get("template") or message.get("templateId")):
        return "it has no text: give a message or a template"
    return ""


def _data_problem(run: Run, effect: wire.SetDeviceData, known: Known) -> str:
    own = effect.device_id == run.message.device_id and own_ids(run) is not None
    if not own and effect.device_id not in known.devices:
        return f"the project has no device {effect.device_id[:128]!r}"
    try:
        fold.settle(effect.data)
    except Rejected as error:
        return error.message
    return problem_of_time(effect.time, run.now)


def _message_problem(run: Run, effect: wire.SendMessage, known: Known) -> str:
    if effect.device_id != run.message.device_id and effect.device_id not in known.devices:
        return f"the project has no device {effect.device_id[:128]!r}"
    try:
        outbound.check(_init(run, effect, "checked"), run.now)
    except Rejected as error:
        return error.message
    return ""


def _no_problem(run: Run, effect: Any, known: Known) -> str:
    return ""


def _timer_problem(run: Run, effect: wire.SetTimer, known: Known) -> str:
    action = effect.action
    if action is None or action.get("type") != "publishTopic" or action.get("topic") in TIMER_TOPICS:
        return ""
    return _topic_problem(str(action.get("topic")), known)


def _publish_problem(run: Run, effect: wire.Publish, known: Known) -> str:
    if effect.topic != REASON:
        return _topic_problem(effect.topic, known)
    reasoner = effect.options.get("reasoner")
    if not isinstance(reasoner, dict) or not isinstance(reasoner.get("id"), str):
        return 'options name no script: {"reasoner": {"id": <its id or alias>}}'
    if effect.message.get("type", "reasonRunScript") != "reasonRunScript":
        return f"another script is run by reasonRunScript, not by {effect.message['type']!r}"
    try:
        msgspec.convert(
            {"id": "", "time": 0, **effect.message, "projectId": "", "type": "reasonRunScript"},
            ReasonRunScript,
        )
    except msgspec.ValidationError as error:
        return f"no message that runs a script: {error}"
    return ""


def _topic_problem(topic: str, known: Known) -> str:
    if topic in known.topics:
        return ""
    declared = ", ".join(sorted(known.topics)) or "none"
    what = f"there is no topic {topic!r} of yours (declared are: {declared})"
    return f"{what}; another script is run by the topic {REASON!r}"


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value] if value else []


_CHECKS: dict[type, Callable[[Run, Any, Known], str]] = {
    wire.SendEmail: _email_problem,
    wire.SendSms: _sms_problem,
    wire.SetDeviceData: _data_problem,
    wire.SendMessage: _message_problem,
    wire.SetTimer: _timer_problem,
    wire.CancelTimer: _no_problem,
    wire.Publish: _publish_problem,
}
