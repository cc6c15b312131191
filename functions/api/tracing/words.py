"""What steps say, in words. Pure. Of a log line counts and ids alone are told, as a line is about a batch."""

from __future__ import annotations

from collections.abc import Sequence

from functions.api.tracing.facts import Line, Row, Run

MAX_ERROR = 300
# How services say that a delivery has to come once more; whatever else went wrong is told as they say it.
_COMES_AGAIN = frozenset({"try again", "unexpected error", "not set aside", "entry not stored"})
_SAYS_SO = "the delivery will come again"
_NOUNS = {
    "sendEmail": "a mail",
    "sendSms": "a text message",
    "setDeviceData": "data for device",
    "sendMessage": "a message to device",
    "setTimer": "set timer",
    "cancelTimer": "cancel timer",
    "publish": "a message to topic",
}


def stored_text(rows: Sequence[Row]) -> str:
    """What was written."""
    kinds: dict[str, int] = {}
    for row in rows:
        kinds[row.kind] = kinds.get(row.kind, 0) + 1
    if "input" in kinds:
        return "kept as it came in, for replay: a script stopped or replaced it"
    records = kinds.get("event", 0)
    parts = [
        *(["its data"] if "data" in kinds else []),
        *([f"{records} event record{'s' if records > 1 else ''}"] if records else []),
        *(["an acknowledgement"] if "ack" in kinds else []),
    ]
    return f"stored {' and '.join(parts) or 'it'}: history, then state"


def run_text(run: Run) -> str:
    """What a script made of it."""
    again = " again, from its record" if run.repeated else ""
    ran = f"ran{again} script {run.script_id} version {run.version}, {run.entry}"
    if run.status == "failed":
        return f"{ran}: it failed"
    if run.status == "unmet":
        return f"{ran}: what it needs is not there, so that the event goes on unchanged"
    count = len(run.effects)
    effects = f", {count} effect{'s' if count > 1 else ''}" if count else ""
    return f"{ran}: {run.result or 'unchanged'}{effects}"


def effect_text(kind: str, about: str) -> str:
    """What a script asked for, without what it wrote."""
    return " ".join(word for word in (_NOUNS.get(kind, kind), about) if word)


def done_by(line: Line) -> tuple[str, str]:
    """What a line tells of the batch that the event was in, and its text."""
    if line.failed:
        error = str(line.payload["error"]).strip().rpartition("\n")[2]
        is_again = line.message in _COMES_AGAIN or line.message.endswith(_SAYS_SO)
        said = "the delivery failed and comes again" if is_again else line.message
        return "failed", f"{said}: {error[:MAX_ERROR]}"
    if line.service == "message_processor":
        return _routed(line)
    batch = line.count("events") or line.count("messages")
    of = f", a batch of {batch}" if batch > 1 else ""
    if line.service == "scheduler" and line.message_id is None:
        return "handled", "its timer was due, and fired"
    if line.service == "simulator":
        return "handled", f"played it{of}"
    if line.service == "transponder":
        return "handled", f"handled the message again{of}" if (line.attempt or 0) > 1 else f"stored{of}"
    return "handled", f"handled the message{of}"


def _routed(line: Line) -> tuple[str, str]:
    batch, forwarded, unknown = (line.count(name) for name in ("messages", "forwarded", "unknown"))
    if batch and unknown == batch:
        which = "" if batch == 1 else f", as all of the {batch} in its batch"
        return "unknownDevice", f"no device has its name{which}: dropped, and kept as the sample of the name"
    parts = [f"{forwarded} sent on"] + [
        f"{count} {name}"
        for name, count in (
            ("ended by their route", line.count("ended")),
            ("of unknown devices", unknown),
            ("set aside", line.count("quarantined")),
        )
        if count
    ]
    if batch <= 1:
        return (
            "routed",
            "found the device and sent it on" if forwarded else f"done with it: {', '.join(parts[1:])}",
        )
    return "routed", f"found the devices of a batch of {batch}: {', '.join(parts)}"
