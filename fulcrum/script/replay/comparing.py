"""What two versions made of the same lines, put side by side. Memory does not grow with the lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from fulcrum.script import wire
from fulcrum.script.replay import lines
from fulcrum.script.replay.answers import KEPT, PARTS, Came, Example, Ran, came_decoder, encode, ran_decoder
from fulcrum.script.replay.diverging import Diverging
from fulcrum.script.replay.report import Change, Sent

_TEXT = 600
# So far apart, what one side sends and what the other one sends may be the same thing at another time.
_MOVED_MS = 86_400_000
_TRIVIAL = Came("done", None, [], [], None)
_Kind = Literal["sms", "email", "message", "timer", "publish", "other"]
_KINDS: dict[type, _Kind] = {
    wire.SendSms: "sms",
    wire.SendEmail: "email",
    wire.SendMessage: "message",
    wire.SetTimer: "timer",
    wire.CancelTimer: "timer",
    wire.Publish: "publish",
}


class Comparison:
    """Takes the answers of both sides to the same lines. ``since``, ``until``: the period, for charts."""

    def __init__(self, since: int, until: int) -> None:
        self.changed = 0
        self.changed_by: Counter[str] = Counter()
        self.changes: list[Change] = []
        self.gained: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.moved: Counter[str] = Counter()
        # Device and kind → which side alone sent last, and when.
        self._alone: dict[tuple[str, str], tuple[bool, int]] = {}
        self.sent_only_after: list[Sent] = []
        self.sent_only_before: list[Sent] = []
        self.changed_parts: Counter[int] = Counter()
        self.state = Diverging()
        self._since, self._length = since, max(1, until - since)

    def add(self, batch: Sequence[bytes], before: Sequence[bytes], after: Sequence[bytes]) -> None:
        """Compare the answers to a batch of lines."""
        state = self.state
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old == new:
                if state.is_open and new:
                    for ran in ran_decoder.decode(new):
                        state.same(ran.touched)
                        state.count({one.device_id for one in ran.touched})
            else:
                olds = ran_decoder.decode(old) if old else []
                news = ran_decoder.decode(new) if new else []
                self._differing(batch[index] if index < len(batch) else b"", olds, news)

    def _differing(self, line: bytes, olds: list[Ran], news: list[Ran]) -> None:
        left, right = ({_key(one): one for one in side} for side in (olds, news))
        for key in dict.fromkeys([*left, *right]):
            old, new = left.get(key), right.get(key)
            if (old.came if old else None) != (new.came if new else None):
                self._changed(line, old, new)
            old_touched, new_touched = (one.touched if one else [] for one in (old, new))
            if old_touched == new_touched:
                self.state.same(new_touched)
            else:
                self.state.differing(old_touched, new_touched)
            devices = {one.device_id for one in (*old_touched, *new_touched)}
            if self.state.is_open and devices:
                self.state.count(devices)

    def _changed(self, line: bytes, old: Ran | None, new: Ran | None) -> None:
        before, after = _came(old), _came(new)
        ran = new or old
        if ran is None or (before == after and old is not None and new is not None):
            return
        if before == after:
            # A timer that fired on one side alone, and came to nothing.
            self.changed_by["timer"] += 1
        example = _example(line, ran)
        self.changed += 1
        self.changed_parts[max(0, min(PARTS - 1, (ran.now - self._since) * PARTS // self._length))] += 1
        if before.status != after.status or before.failure != after.failure:
            self.changed_by["status"] += 1
        if before.result != after.result:
            self.changed_by["result"] += 1
        if before.effects != after.effects:
            self.changed_by["effects"] += 1
            self._effects(example, before.effects, after.effects)
        if len(self.changes) < KEPT:
            shown = [_shown(came, one is None)[:_TEXT] for came, one in ((before, old), (after, new))]
            self.changes.append(Change(event=example, before=shown[0], after=shown[1]))

    def _effects(self, example: Example, before: list[wire.Effect], after: list[wire.Effect]) -> None:
        left: Counter[bytes] = Counter()
        right: Counter[bytes] = Counter()
        by_text: dict[bytes, wire.Effect] = {}
        for found, effects in ((left, before), (right, after)):
            for effect in effects:
                text = encode(effect)
                by_text[text] = effect
                found[text] += 1
        for is_new, only, counts, kept in (
            (False, left - right, self.lost, self.sent_only_before),
            (True, right - left, self.gained, self.sent_only_after),
        ):
            for text, times in only.items():
                effect = by_text[text]
                if isinstance(effect, wire.SetDeviceData):
                    # It shows in the data.
                    continue
                kind = _KINDS[type(effect)]
                counts[kind] += times
                self._move(kind, example, is_new)
                if len(kept) < KEPT:
                    to, said = describe(effect)
                    kept.append(Sent(kind=kind, event=example, to=to, text=said[:_TEXT]))

    def _move(self, kind: _Kind, example: Example, is_new: bool) -> None:
        """Whether the other side alone sent one of this kind for this device a while before."""
        key = (example.device_id, kind)
        other = self._alone.pop(key, None)
        if other is not None and other[0] is not is_new and example.time - other[1] <= _MOVED_MS:
            self.moved[kind] += 1
        else:
            self._alone[key] = (is_new, example.time)


def _key(ran: Ran) -> tuple[str, str, int]:
    return (ran.key, ran.device_id, ran.now)


def _came(ran: Ran | None) -> Came:
    return came_decoder.decode(ran.came) if ran is not None and ran.came else _TRIVIAL


def _example(line: bytes, ran: Ran) -> Example:
    if ran.key or not line:
        return Example(device_id=ran.device_id, event_id="", time=ran.now, text=ran.key)
    found = lines.decoder.decode(line)
    if isinstance(found, lines.Event):
        identity = str(found.message.get("id", ""))
        return Example(
            device_id=ran.device_id, event_id=identity, time=int(found.message.get("time", ran.now))
        )
    return Example(device_id=ran.device_id, time=ran.now)


def _shown(came: Came, absent: bool) -> str:
    """What a run came to, for people."""
    if absent:
        return "not run"
    if came.failure is not None:
        return f"failed: {came.failure[1] or came.failure[0]}: {came.failure[2]}"
    if came.status == "unmet":
        return f"not run: needs {', '.join(came.missing)}"
    parts = []
    if came.result is False:
        parts.append("stopped")
    elif came.result is not None:
        parts.append(f"replaced by {encode(came.result).decode()}")
    for effect in came.effects:
        to, said = describe(effect)
        named = _KINDS.get(type(effect), "data")
        parts.append(f"{named}{' to ' + ', '.join(to) if to else ''}: {said}")
    return "; ".join(parts) or "unchanged"


def describe(effect: wire.Effect) -> tuple[list[str], str]:
    """Who gets an effect, and what it says."""
    if isinstance(effect, wire.SendSms):
        said = [str(effect.message.get("message") or ""), _template(effect.message)]
        return _listed(effect.message.get("recipients")), "; ".join(filter(None, said))
    if isinstance(effect, wire.SendEmail):
        message = effect.message
        to = [one for key in ("to", "cc", "bcc", "blindTo") for one in _listed(message.get(key))]
        body = str(message.get("text") or message.get("html") or "")
        own = ": ".join(filter(None, [str(message.get("subject") or ""), body]))
        return to, "; ".join(filter(None, [own, _template(message)]))
    if isinstance(effect, wire.SendMessage):
        return [effect.device_id], _json(effect.message)
    if isinstance(effect, wire.SetTimer):
        what = effect.entry if effect.action is None else str(effect.action.get("type"))
        return [], f"set {effect.id}: {_json(effect.timer)}, then {what}"
    if isinstance(effect, wire.CancelTimer):
        return [], f"cancel {effect.id}"
    if isinstance(effect, wire.Publish):
        return [effect.topic], _json(effect.message)
    writes = {write.path: write.value for write in effect.data}
    return [effect.device_id], _json(writes)


def _template(message: Mapping[str, Any]) -> str:
    """Which template a message is filled from, and by what; the service that sends it fills it."""
    named = message.get("template") or message.get("templateId")
    if not named:
        return ""
    context = message.get("context")
    return f"template {named}, filled from {_json(context)}" if context else f"template {named}"


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
