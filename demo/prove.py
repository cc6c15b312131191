"""The proof: what was accepted is compared with history (read back by SQL) and with current state.

What should stand there is worked out from the texts that were sent, by plain code of its own: a proof that
used the platform's code for that would share its errors.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud import bigquery

from demo.fleet import Sent
from fulcrum import Client
from fulcrum.core import fold
from shared import clock, history

# Every row counts here, repeats included: the fold takes them all.
_ROWS = """
SELECT device_id, event_id, kind, event_type, historical, time, original_time, TO_JSON_STRING(data) AS data,
  cleared
FROM `history.device_events`
WHERE project_id = @project AND time BETWEEN @since AND @until AND kind IN ('data', 'event')
"""
_EVENTS = "SELECT device_id, event_id FROM history.events(@project, @since, @until)"
_RECORDS = "SELECT device_id, event_id, event_type FROM history.event_records(@project, @since, @until)"
SINCE, UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

DATA = "data"
# (device, event id, DATA or the type of an event record): what history should hold once.
Item = tuple[str, str, str]


@dataclass(frozen=True)
class Proof:
    """What was found. ``rows`` counts repeats too; the lists hold items of history or device ids."""

    rows: int
    events: int
    records: int
    lost: list[Item]
    twice: list[Item]
    foreign: list[Item]
    altered: list[Item]
    devices: int
    state_differs: list[str]
    state_wrong: list[str]
    unknown: int
    quarantined: int

    def faults(self) -> list[str]:
        """What speaks against the promises, in words; empty if nothing does."""
        named: dict[str, Sequence[object]] = {
            "lost": self.lost,
            "twice": self.twice,
            "in history but never sent": self.foreign,
            "altered on the way": self.altered,
            "state differs from history": self.state_differs,
            "state is not what was sent last": self.state_wrong,
        }
        return [f"{what}: {len(found)}, such as {found[0]}" for what, found in named.items() if found]


def run(
    sql: bigquery.Client,
    client: Client,
    project: str,
    accepted: Sequence[Sent],
    tried: Sequence[Sent],
) -> Proof:
    """Compare. ``accepted`` had a 2xx; ``tried`` was sent at all, answered or not.

    History is read from the table itself, repeats included; all else as a user of the API reads it.
    """
    return compare(
        query(sql, _ROWS, project),
        [(row["device_id"], row["event_id"], DATA) for row in query(sql, _EVENTS, project)]
        + [(row["device_id"], row["event_id"], row["event_type"]) for row in query(sql, _RECORDS, project)],
        {device["id"]: device.get("data", {}) for device in client.device.list_all(project)},
        accepted,
        tried,
        unknown=sum(device["count"] for device in client.unknown_device.list_all(project)),
        quarantined=client.quarantine.list(project, total=True)["total"],
    )


def example(cold_room: str) -> dict[str, Any]:
    """A question to history: readings and their average by hour, of the blueprint of cold rooms."""
    return {
        "start": "2000-01-01T00:00:00Z",
        "paths": [
            ["$time", "hour", {"function": "BUCKET_TIME", "args": [3_600_000]}, "time"],
            ["$id", "readings", {"function": "COUNT"}],
            ["temperature", "temperature", {"function": "AVG"}],
        ],
        "where": ["$blueprintId", "=", cold_room],
        "group": ["hour"],
        "order": [["hour", "DESC"]],
        "perPage": 3,
    }


def compare(
    rows: Sequence[Mapping[str, Any]],
    read: Iterable[Item],
    states: Mapping[str, Mapping[str, Any]],
    accepted: Sequence[Sent],
    tried: Sequence[Sent],
    unknown: int = 0,
    quarantined: int = 0,
) -> Proof:
    """Compare what was read: ``rows`` of the table, items that people ``read``, data of devices in state."""
    seen = Counter(read)
    promised = {item for sent in accepted for item, _ in _items(sent)}
    meant = {item: value for sent in tried for item, value in _items(sent)}
    stored = [sent for sent in tried if (sent.device_id, sent.event_id, DATA) in seen]
    folded, last = fold_rows(rows), replay(stored)
    return Proof(
        rows=sum(row["kind"] == DATA for row in rows),
        events=sum(what == DATA for _, _, what in seen),
        records=sum(what != DATA for _, _, what in seen),
        lost=sorted(promised - seen.keys()),
        twice=sorted(item for item, count in seen.items() if count > 1),
        foreign=sorted(seen.keys() - meant.keys()),
        altered=sorted({_item(row) for row in rows if _is_altered(row, meant)}),
        devices=sum(1 for data in states.values() if data),
        state_differs=_differences(states, folded),
        state_wrong=_differences(states, last),
        unknown=unknown,
        quarantined=quarantined,
    )


def query(sql: bigquery.Client, text: str, project: str) -> list[dict[str, Any]]:
    """Run a query with the parameters that all of ours have; its rows by column."""
    parameters = [
        bigquery.ScalarQueryParameter("project", "STRING", project),
        bigquery.ScalarQueryParameter("since", "TIMESTAMP", SINCE),
        bigquery.ScalarQueryParameter("until", "TIMESTAMP", UNTIL),
    ]
    job = sql.query(text, job_config=bigquery.QueryJobConfig(query_parameters=parameters))
    return [dict(row) for row in job.result()]


def fold_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The state of each device, computed anew from rows of history."""
    registers: dict[str, fold.Registers] = defaultdict(dict)
    for row in rows:
        step = history.folded(row)
        if step is not None:
            fold.fold(registers[row["device_id"]], [step])
    return {device: fold.derive(held) for device, held in registers.items()}


def replay(stored: Iterable[Sent]) -> dict[str, dict[str, Any]]:
    """The state of each device if events simply happen one after the other, by time and then by id.

    Right for this fleet, in which no event writes a value above or below a path that another one writes.
    """
    known = [(sent, json.loads(sent.text)) for sent in stored if sent.fate == "known"]
    states: dict[str, dict[str, Any]] = defaultdict(dict)
    for sent, event in sorted(known, key=lambda pair: (pair[1]["time"], pair[1]["id"])):
        _merge(states[sent.device_id], _nested(event["data"]))
    return states


def _differences(states: Mapping[str, Mapping[str, Any]], expected: Mapping[str, Any]) -> list[str]:
    devices = states.keys() | expected.keys()
    return sorted(one for one in devices if states.get(one, {}) != expected.get(one, {}))


def _items(sent: Sent) -> Iterator[tuple[Item, tuple[int, Any]]]:
    """What an event of a known device should leave in history: (time in ms, data) of each item."""
    if sent.fate != "known":
        return
    event = json.loads(sent.text)
    yield (sent.device_id, sent.event_id, DATA), (event["time"], _nested(event["data"]))
    if record := event.get("event"):
        yield (sent.device_id, sent.event_id, record["type"]), (event["time"], record["data"])


def _item(row: Mapping[str, Any]) -> Item:
    return row["device_id"], row["event_id"], DATA if row["kind"] == DATA else row["event_type"]


def _is_altered(row: Mapping[str, Any], meant: Mapping[Item, tuple[int, Any]]) -> bool:
    """Whether a row says something else than its event did; rows of no event are told elsewhere."""
    if (item := _item(row)) not in meant:
        return False
    found = (clock.to_ms(row["time"]), json.loads(row["data"]))
    return found != meant[item] or bool(row["historical"] or row["original_time"] or row["cleared"])


def _nested(data: Mapping[str, Any]) -> dict[str, Any]:
    """``{"a/b": 1}`` as ``{"a": {"b": 1}}``."""
    nested: dict[str, Any] = {}
    for path, value in data.items():
        for key in reversed(path.split("/")):
            value = {key: value}
        _merge(nested, value)
    return nested


def _merge(state: dict[str, Any], data: Mapping[str, Any]) -> None:
    for key, value in data.items():
        if isinstance(value, dict):
            _merge(state.setdefault(key, {}), value)
        else:
            state[key] = value
