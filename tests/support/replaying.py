"""What a script would have left behind: a small platform in simulated time, and a replay's input of it.

Each event is run by itself, from a call as it travels, with the state that is stored and the cache that is
written by then: nothing here is shared with the replay but the runner of scripts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from fulcrum.core import fold
from fulcrum.core.writes import Write
from fulcrum.script import identity, wire
from fulcrum.script.loading import load
from fulcrum.script.replay import lines
from fulcrum.script.replay.timers import timer_id
from fulcrum.script.running import Runner

PROJECT, SCRIPT = "p1", "s1"
SINCE = 1_790_000_000_000
DAY = 86_400_000


@dataclass(frozen=True)
class Sent:
    """What a device sends; times in ms from the beginning.

    ``waits``: how long until its run; ``takes``: how long from there until it is stored.
    """

    device: str
    at: int
    data: dict[str, Any]
    happened: int | None = None
    waits: int = 5
    takes: int = 20
    historical: bool = False


@dataclass
class Platform:
    """Runs a script's folder on events, and keeps what a history would."""

    folder: Path
    params: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    follows: str = "result"
    until: int = SINCE + DAY
    note: str = ""

    def __post_init__(self) -> None:
        self.code = load(self.folder, self.version)
        self.runner = Runner(self.code)
        self.registers: dict[str, fold.Registers] = {}
        self.caches: dict[str, Any] = {}
        self.script_cache: Any = None
        self.found: list[tuple[tuple[int, int, str], lines.Event | lines.Writing]] = []
        self._agenda: list[tuple[int, int, Any]] = []
        self._count = 0
        self._timers: dict[str, int] = {}

    def lines(self, sent: Sequence[Sent]) -> list[bytes]:
        """The input of a replay over what was sent."""
        for number, one in enumerate(sent):
            self._at(SINCE + one.at + one.waits, self._run_event, one, f"e{number:06}")
        while self._agenda:
            _, _, (function, given) = heapq.heappop(self._agenda)
            function(*given)
        devices = sorted({one.device for one in sent})
        header = lines.Header(
            project_id=PROJECT,
            script_id=SCRIPT,
            name="Script",
            version=self.version,
            code=(self.folder / "main.py").read_text(),
            entries=list(self.code.entries.values()),
            since=SINCE,
            until=self.until,
            count=len(self.found),
            notes=[lines.Note(self.note, "of this test")] if self.note else [],
        )
        made: list[lines.AnyLine] = [
            header,
            lines.Definition(kind="project", id=PROJECT, value={"id": PROJECT}),
        ]
        for device in devices:
            made.append(lines.Definition(kind="device", id=device, value=definition(device)))
        self.found.sort(key=lambda item: item[0])
        made += [line for _, line in self.found]
        made.append(lines.End(count=len(self.found)))
        return [lines.encode(line) for line in made]

    def _at(self, when: int, function: Any, *given: Any) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, (function, given)))

    def _run_event(self, sent: Sent, event_id: str) -> None:
        received = SINCE + sent.at
        time = SINCE + (sent.at if sent.happened is None else sent.happened)
        message: dict[str, Any] = {
            "type": "deviceDataEventMsg",
            **{"id": event_id, "hash": f"h{event_id}", "time": time, "receivedTime": received},
            **{"projectId": PROJECT, "deviceId": sent.device, "systemId": "sys"},
            "data": [{"path": path, "value": value} for path, value in sent.data.items()],
        }
        if sent.historical:
            message["historical"] = True
        key = self._key(sent.device, event_id, f"h{event_id}")
        event = self._event(key, message, received, sent.device, self.params, f"h{event_id}")
        started = received + sent.waits
        outcome = self._run("run", event)
        stored = started + sent.takes
        line = lines.Event(
            message=message,
            now=received,
            seed=event.seed,
            device_id=sent.device,
            params=self.params,
            stored=stored,
            follows=self.follows,  # type: ignore[arg-type]  # one of the two
            run=_recorded(key, self.version, started, message, outcome),
        )
        self.found.append(((received, time, event_id), line))
        written: dict[str, Any] | None = message
        if self.follows == "result":
            if outcome.status == "failed" or outcome.result is False:
                written = None
            elif outcome.result is not None:
                written = {**message, **outcome.result}
        if written is not None and not written.get("historical"):
            writes = [Write(**write) for write in written["data"]]
            self._at(stored, self._store, sent.device, (written["time"], event_id), writes)
        self._carry_out(event, started, sent.takes, outcome)

    def _run_timer(self, identity_: str, generation: int, due: int, effect: wire.SetTimer) -> None:
        if self._timers.get(identity_) != generation:
            return
        occasion = f"{identity_}{due}"
        message = {
            "type": "reasonRunScript",
            **{"id": occasion, "time": due, "projectId": PROJECT, "timerId": identity_, "source": "script"},
        }
        if effect.device_id is not None:
            message |= {"deviceId": effect.device_id}
        key = self._key(effect.device_id, occasion, "")
        event = self._event(key, message, due, effect.device_id, effect.params, "")
        outcome = self._run(effect.entry, event)
        line = lines.Event(
            message=message,
            now=due,
            seed=event.seed,
            device_id=effect.device_id,
            entry=effect.entry,
            params=effect.params,
            run=_recorded(key, self.version, due, message, outcome),
        )
        self.found.append(((due, due, occasion), line))
        self._carry_out(event, due, 20, outcome)

    def _key(self, device: str | None, event_id: str, content_hash: str) -> str:
        return identity.run_key(PROJECT, device or "", event_id, content_hash, SCRIPT, "step")

    def _event(
        self,
        key: str,
        message: dict[str, Any],
        now: int,
        device: str | None,
        params: dict[str, Any],
        content_hash: str,
    ) -> wire.Event:
        return wire.Event(
            key=key,
            message=message,
            now=now,
            seed=identity.seed(PROJECT, device or "", message["id"], content_hash, SCRIPT),
            device_id=device,
            params=params,
        )

    def _run(self, entry: str, event: wire.Event) -> wire.Outcome:
        device = event.device_id
        known = {} if device is None else {device: self._known(device)}
        call = wire.Call(
            script_id=SCRIPT,
            project_id=PROJECT,
            entry=entry,
            project={"id": PROJECT},
            devices=known,
            caches={device: self.caches[device]} if device is not None and device in self.caches else {},
            script_cache=self.script_cache,
            events=[event],
        )
        sent = msgspec.json.decode(msgspec.json.encode(call), type=wire.Call)
        (outcome,) = self.runner.run(sent).outcomes
        if outcome.cache is not None and device is not None:
            self.caches[device] = outcome.cache.value
        if outcome.script_cache is not None:
            self.script_cache = outcome.script_cache.value
        return outcome

    def _known(self, device: str) -> wire.Device:
        registers = fold.encode(self.registers.get(device, {})).decode()
        return wire.Device(device=definition(device), registers=registers)

    def _store(self, device: str, stamp: fold.Stamp, writes: list[Write]) -> None:
        fold.fold(self.registers.setdefault(device, {}), [(stamp, fold.settle(writes))])

    def _carry_out(self, event: wire.Event, started: int, takes: int, outcome: wire.Outcome) -> None:
        for index, effect in enumerate(outcome.effects):
            own = identity.effect_id(event.key, index)
            if isinstance(effect, wire.SetDeviceData):
                stored = started + takes + 1
                self._at(stored, self._store, effect.device_id, (effect.time, own), effect.data)
                line = lines.Writing(
                    device_id=effect.device_id,
                    time=effect.time,
                    id=own,
                    now=event.now,
                    data=effect.data,
                    stored=stored,
                    script_id=SCRIPT,
                    own=True,
                )
                self.found.append(((event.now, effect.time, own), line))
            elif isinstance(effect, wire.SetTimer | wire.CancelTimer):
                self._timer(event, effect)

    def _timer(self, event: wire.Event, effect: wire.SetTimer | wire.CancelTimer) -> None:
        name = timer_id(SCRIPT, event.device_id, effect.id)
        generation = self._timers[name] = self._timers.get(name, 0) + 1
        if isinstance(effect, wire.SetTimer):
            due = effect.timer.get("when") or event.now + effect.timer["delay"]
            if due <= self.until:
                self._at(due, self._run_timer, name, generation, due, effect)


def definition(device: str) -> dict[str, Any]:
    """How a device is defined."""
    return {"id": device, "name": f"Device {device}", "systemId": "sys", "parentDeviceId": "parent"}


def _recorded(
    key: str, version: int, started: int, message: dict[str, Any], outcome: wire.Outcome
) -> lines.Run:
    failure = outcome.failure
    result = "unchanged" if outcome.result is None else "replaced" if outcome.result else "stopped"
    effects = []
    for index, effect in enumerate(outcome.effects):
        fields = msgspec.to_builtins(effect)
        if "id" in fields:
            # As it is recorded: `id` is the effect's, and a timer has the script's name beside it.
            fields["timerId"] = fields["id"]
        effects.append(fields | {"id": identity.effect_id(key, index)})
    return lines.Run(
        key=key,
        version=version,
        started=started,
        status=outcome.status,
        result=result if outcome.status == "done" else None,
        message={**message, **outcome.result} if outcome.result else None,
        effects=effects,
        cache=outcome.cache,
        script_cache=outcome.script_cache,
        failure_kind=failure.kind if failure else "",
        failure_type=failure.type if failure else "",
        failure_message=failure.message if failure else "",
    )


def joined(made: Iterable[bytes]) -> list[bytes]:
    """Lines as the chunks of an input."""
    return [b"".join(line + b"\n" for line in made)]
