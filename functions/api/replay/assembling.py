"""From rows of the history and of runs, those of one event together, to lines of a replay's input. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple

import msgspec

from fulcrum.core import ids
from fulcrum.script import identity
from fulcrum.script.replay import lines
from fulcrum.script.wire import Cache
from functions.api.replay.queries import EVENT_COLUMNS
from shared.history_writes import writes_of
from shared.messages import DeviceDataEvent, EventRecord, Write

Follows = Literal["input", "result"]
_decode = msgspec.json.decode
_COLUMNS = {name: place for place, name in enumerate(EVENT_COLUMNS)}
_DEVICE, _EVENT, _HASH = (_COLUMNS[name] for name in ("device_id", "event_id", "content_hash"))


class Row(NamedTuple):
    """A row of the query of events; cells as text."""

    kind: str
    device_id: str
    event_id: str
    content_hash: str
    record_id: str | None
    ms: str
    received: str
    stored: str
    system_id: str | None
    blueprint_id: str | None
    network_id: str | None
    original_time: str | None
    historical: str
    data: str | None
    cleared: str | None
    written: str | None
    event_type: str | None
    user_id: str | None
    source: str | None
    script_id: str | None
    run: str | None


class _Run(msgspec.Struct, array_like=True):
    """What the query makes of a run."""

    key: str
    version: int
    entry: str
    step: str | None
    started: int
    seq: int | None
    status: str
    result: str | None
    message: dict[str, Any] | None
    params: dict[str, Any] | None
    effects: list[dict[str, Any]] | None
    cache: Cache | None
    script_cache: Cache | None
    failure_kind: str | None
    failure_type: str | None
    failure_message: str | None
    cpu_us: int | None
    wall_us: int | None


_run_decoder = msgspec.json.Decoder(_Run)


class Assembling:
    """Makes lines of one project's rows for one script, and counts what cannot be made into one."""

    def __init__(
        self,
        project_id: str,
        script_id: str,
        selection: lines.Selection,
        follows: Mapping[str, Follows],
        entry: str = "run",
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self.project_id = project_id
        self.script_id = script_id
        self.skipped: dict[str, int] = {}
        self.count = 0
        self._selection = selection
        self._follows = follows
        self._entry = entry
        self._params = dict(params or {})
        self._waiting: list[Sequence[str | None]] = []

    def add(self, rows: Iterable[Sequence[str | None]]) -> Iterator[lines.Event | lines.Writing]:
        """The lines of a page; the rows of its last event wait for the next page, or for :meth:`end`."""
        waiting = self._waiting
        for row in rows:
            if waiting and row[_DEVICE : _HASH + 1] != waiting[0][_DEVICE : _HASH + 1]:
                yield from self._event(waiting)
                waiting = []
            waiting.append(row)
        self._waiting = waiting

    def end(self) -> Iterator[lines.Event | lines.Writing]:
        """The lines of what waits."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            yield from self._event(waiting)

    def _event(self, cells: list[Sequence[str | None]]) -> Iterator[lines.Event | lines.Writing]:
        for line in self._lines([Row(*row) for row in cells]):  # type: ignore[arg-type]  # required columns
            self.count += 1
            yield line

    def _lines(self, rows: list[Row]) -> Iterator[lines.Event | lines.Writing]:
        kinds = {kind: list(group) for kind, group in groupby(rows, lambda row: row.kind)}
        data, records = kinds.get("data", []), kinds.get("event", [])
        own = [row for row in kinds.get("input", []) if row.script_id == self.script_id]
        runs = [_run_decoder.decode(row.run or "") for row in kinds.get("run", [])]
        written = [row for row in data if row.script_id]
        if not runs and (written or self._selection == "ran"):
            yield from (self._writing(row) for row in data if row.historical != "true")
            return
        came = own or [*data, *records]
        if not came and not runs:
            # What another script stopped or replaced before it came here.
            return
        at = (kinds.get("run") or came)[0]
        message = self._message(came, at) if came else _brought(runs)
        if message is None:
            self.skipped["input"] = self.skipped.get("input", 0) + 1
            return
        stored = int(came[0].stored) if came else None
        ran: list[_Run | None] = [*runs] or [None]
        for run in ran:
            yield self._run_line(rows[0], message, int(at.received), stored, bool(own), run)

    def _run_line(
        self,
        row: Row,
        message: dict[str, Any],
        received: int,
        stored: int | None,
        is_input: bool,
        run: _Run | None,
    ) -> lines.Event:
        is_device = message.get("type") != "reasonRunScript"
        device_id = row.device_id or message.get("deviceId")
        now = received if is_device else int(message.get("time", received))
        return lines.Event(
            message=message,
            now=now,
            seed=identity.seed(
                self.project_id, device_id or "", message["id"], row.content_hash, self.script_id
            ),
            device_id=device_id,
            entry=run.entry if run else self._entry,
            params=(run.params or {}) if run else self._params,
            stored=stored,
            follows=self._followed(device_id, is_input, run),
            run=_recorded(run) if run else None,
        )

    def _followed(self, device_id: str | None, is_input: bool, run: _Run | None) -> Follows:
        if is_input:
            return "result"
        if run is not None and run.result in ("stopped", "replaced") and run.status == "done":
            # It was not kept as what a script was given: it was written whatever the script said.
            return "input"
        return self._follows.get(device_id or "", "result")

    def _writing(self, row: Row) -> lines.Writing:
        return lines.Writing(
            device_id=row.device_id,
            time=int(row.ms),
            id=row.event_id,
            now=int(row.received),
            stored=int(row.stored),
            data=_writes(row),
            script_id=row.script_id or "",
            own=row.script_id == self.script_id,
        )

    def _message(self, rows: list[Row], at: Row) -> dict[str, Any]:
        main = [row for row in rows if row.record_id is None]
        first = main[0] if main else rows[0]
        time = int(first.ms if main else at.ms)
        event = DeviceDataEvent(
            id=first.event_id,
            hash=first.content_hash,
            time=time,
            received_time=int(first.received),
            project_id=self.project_id,
            device_id=first.device_id,
            system_id=first.system_id,
            blueprint_id=first.blueprint_id,
            network_id=first.network_id,
            original_time=_decode(first.original_time) if first.original_time else None,
            historical=first.historical == "true",
            data=_writes(main[0]) if main else [],
            event=_records([row for row in rows if row.record_id is not None], time),
            source=first.source,
            user_id=first.user_id,
        )
        made: dict[str, Any] = msgspec.to_builtins(event)
        return made


def _brought(runs: Sequence[_Run]) -> dict[str, Any] | None:
    """The message of an event that no history has, as its run kept it."""
    for run in runs:
        if run.message is not None and run.result != "replaced" and "id" in run.message:
            return run.message
    return None


def _recorded(run: _Run) -> lines.Run:
    return lines.Run(
        key=run.key,
        version=run.version,
        started=run.started,
        seq=run.seq or 0,
        status=run.status,
        result=run.result,
        message=run.message if run.result == "replaced" else None,
        effects=run.effects or [],
        cache=run.cache,
        script_cache=run.script_cache,
        failure_kind=run.failure_kind or "",
        failure_type=run.failure_type or "",
        failure_message=run.failure_message or "",
        cpu_us=run.cpu_us or 0,
        wall_us=run.wall_us or 0,
    )


def _writes(row: Row) -> list[Write]:
    return writes_of(_decode(row.data) if row.data else None, _split(row.cleared), _split(row.written))


def _split(text: str | None) -> list[str]:
    return text.split(",") if text else []


def _records(rows: Sequence[Row], time: int) -> list[EventRecord]:
    """The records of an event in their order, as they came: without what the writer alone gave them.

    Ingest gives a record its id and its time; one without an id came otherwise, and its time may be its
    event's.
    """
    if not rows:
        return []
    first = rows[0]
    made = {
        ids.digest(first.device_id, first.event_id, first.content_hash, str(place)): place
        for place in range(len(rows))
    }
    ordered = sorted(rows, key=lambda row: made.get(row.record_id or "", len(rows)))
    return [
        EventRecord(
            # Left out, it is not written either.
            **({} if row.event_type in (None, "default") else {"type": row.event_type}),
            time=None if row.record_id in made and int(row.ms) == time else int(row.ms),
            id=None if row.record_id in made else row.record_id,
            data=_decode(row.data) if row.data else None,
        )
        for row in ordered
    ]
