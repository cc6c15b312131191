"""The input of a replay, line by line: what is known of the script, of the devices then, and what came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from fulcrum.core import fold
from fulcrum.script.replay import lines
from fulcrum.script.wire import Cache, Entry
from functions.api.needs import Call
from functions.api.replay import asking, queries
from functions.api.replay.assembling import Assembling
from functions.api.replay.definitions import Definitions
from functions.api.replay.queries import Window
from functions.api.replay.selection import Selected
from shared import clock, device_rows, history, script_documents, values
from shared.clients import bigquery, firestore
from shared.model.script import Script
from shared.retention import reading, rules
from shared.store.scope import Stored

_DAY_MS = 86_400_000
# How far before a replay the last cache is looked for.
_CACHE_BACK_MS = 30 * _DAY_MS
# Where the first thing that is known came so much after what was asked for, history may have begun there.
_GAP_MS = 3_600_000


class Input:
    """An input to be streamed. :meth:`start` finds out whatever can be wrong; :meth:`stream` follows it."""

    def __init__(
        self,
        call: Call,
        script: Stored[Script],
        selected: Selected,
        selection: lines.Selection,
        entry: str = "run",
        params: Mapping[str, Any] | None = None,
        before: tuple[int, str] | None = None,
        ran: tuple[int, int] | None = None,
    ) -> None:
        self._call = call
        self._script = script
        self._selected = selected
        self._window = selected.window
        self._before, self._ran = before, ran
        self._definitions = Definitions(call, selected.devices)
        self._selection = selection
        self._entry, self._params = entry, params
        self._deployed: Mapping[str, Any] = {}
        self._notes: list[lines.Note] = []

    async def start(self) -> None:
        """Read what is small, and start what is large; ApiError where it cannot be had."""
        project_id, script_id = self._window.project_id, self._script.id
        self._deployed = await _deployed(project_id, script_id)
        await self._definitions.read()
        snapshot = await _snapshot(self._window)
        devices = sorted(self._selected.devices)
        self._states = queries.states(self._window, devices, snapshot, self._before)
        self._caches = queries.caches(self._window, _CACHE_BACK_MS, self._ran, self._selected.is_whole)
        self._events = queries.events(self._window, self._selected.is_whole)
        self._jobs = {sql[0]: await asking.start(sql) for sql in (self._states, self._caches, self._events)}
        now = clock.now_ms()
        kept_since = rules.latest(await reading.history_scopes(project_id, "history", now))
        self._notes = [*_notes(self._selected, self._selection, now, bool(self._deployed), kept_since)]

    async def stream(self) -> AsyncIterator[lines.AnyLine]:
        """All lines. An error raises: the answer breaks before its end, which the reader notices."""
        yield self._header()
        for definition in self._definitions.lines():
            yield definition
        async for state in self._state_lines():
            yield state
        async for page in self._pages(self._caches):
            for device_id, value, late in page.rows:
                kept = msgspec.json.decode(value or "{}", type=Cache)
                yield lines.CacheLine(
                    device_id=device_id, value=kept.value, late=None if late is None else int(late)
                )
        names = (self._script.id, str(self._script.fields.get("alias", "")))
        assembling = Assembling(
            self._window.project_id,
            self._script.id,
            self._selection,
            self._definitions.follows(names),
            self._entry,
            self._params,
        )
        async for page in self._pages(self._events):
            for line in assembling.add(page.rows):
                yield line
        for line in assembling.end():
            yield line
        yield lines.End(count=assembling.count, skipped=assembling.skipped)

    def _pages(self, sql: queries.Sql) -> AsyncIterator[bigquery.Page]:
        return asking.pages(sql, self._jobs[sql[0]])

    async def _state_lines(self) -> AsyncIterator[lines.State]:
        """A device after the other: the rows come by device."""
        current, registers, stored = "", fold.Registers(), 0
        async for page in self._pages(self._states):
            for device_id, ms, event_id, data, cleared, stored_ms in page.rows:
                if device_id != current:
                    if registers:
                        yield self._state(current, registers, stored)
                    current, registers, stored = str(device_id), {}, int(stored_ms or 0)
                row = {
                    "kind": "data",
                    "historical": False,
                    "time": int(ms or 0) * 1000,
                    "event_id": event_id,
                    "data": data,
                    "cleared": cleared.split(",") if cleared else (),
                }
                if (event := history.folded(row)) is not None:
                    fold.fold(registers, [event])
        if registers:
            yield self._state(current, registers, stored)

    def _state(self, device_id: str, registers: fold.Registers, stored: int) -> lines.State:
        return lines.State(
            device_id=device_id,
            registers=fold.encode(registers).decode(),
            late=stored if stored >= self._window.since else None,
        )

    def _header(self) -> lines.Header:
        fields, deployed = self._script.fields, self._deployed
        return lines.Header(
            project_id=self._window.project_id,
            script_id=self._script.id,
            name=str(fields.get("name", "")),
            alias=str(fields.get("alias", "")),
            version=int(deployed.get("version", 0)),
            code=str(deployed.get("code", "")),
            files=deployed.get("files") or {},
            requirements=str(deployed.get("requirements", "")),
            entries=msgspec.convert(deployed.get("entries") or [], list[Entry]),
            since=self._window.since,
            until=self._window.until,
            selection=self._selection,
            count=max(self._selected.rows, self._selected.runs),
            notes=self._notes,
        )


async def _deployed(project_id: str, script_id: str) -> dict[str, Any]:
    """The version that runs now, as its document has it; empty if none does."""
    name = script_documents.state(project_id, script_id)
    found = (await firestore.batch_get([name])).get(name)
    state = values.from_fields(found.fields) if found else {}
    if state.get("state") != "deployed" or not isinstance(state.get("version"), int):
        return {}
    name = script_documents.version(project_id, script_id, state["version"])
    document = (await firestore.batch_get([name])).get(name)
    version = values.from_fields(document.fields) if document else {}
    for key in ("files", "entries"):
        if isinstance(version.get(key), str):
            version[key] = msgspec.json.decode(version[key] or "null")
    return version


async def _snapshot(window: Window) -> int | None:
    sql = device_rows.newest_snapshot(window.dataset, window.project_id, window.since, clock.now_ms())
    found = [row[0] async for row in asking.rows((sql[0], list(sql[1])))]
    return int(found[0]) if found and found[0] is not None else None


def _notes(
    selected: Selected, selection: str, now: int, is_deployed: bool, kept_since: int
) -> list[lines.Note]:
    """What cannot be exact, for the reader of the report. ``kept_since``: data before it was let go."""
    window = selected.window
    notes = [
        lines.Note("definitions", "devices, systems, blueprints and routes are as they are defined today"),
        lines.Note(
            "late",
            "events that say they happened more than 7 days before the period are left out",
        ),
        lines.Note(
            "unwritten",
            "an event whose route ends without writer is in no history, unless the script ran on it",
        ),
    ]
    if selected.first is not None and selected.first > window.since + _GAP_MS:
        notes.append(
            lines.Note(
                "retention",
                f"the first event is of {clock.from_ms(selected.first):%Y-%m-%d %H:%M}, which is later than "
                "asked for: history may have been deleted before it",
            )
        )
    elif kept_since > window.since:
        notes.append(
            lines.Note(
                "retention",
                f"some data from before {clock.from_ms(kept_since):%Y-%m-%d} is not kept: events and states "
                "may lack what was let go",
            )
        )
    if selected.runs == 0 and selection == "all":
        notes.append(
            lines.Note(
                "neverRan", "the script did not run in this period: all events of the devices are taken"
            )
        )
    if selected.lacking:
        notes.append(
            lines.Note("permission", f"{selected.lacking} devices are left out: you may not read them")
        )
    if not selected.is_whole:
        notes.append(
            lines.Note(
                "scriptCache",
                "the script's cache is empty: it is made of all devices, and you may not read them all",
            )
        )
    if not is_deployed:
        notes.append(lines.Note("notDeployed", "no version is deployed"))
    if window.until > now - 120_000:
        notes.append(lines.Note("recent", "events of the last minutes may not be stored yet"))
    return notes
