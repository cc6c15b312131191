"""The proof: what was accepted is compared with history (read back by SQL) and with current state."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from google.cloud import bigquery, firestore

from demo.fleet import Sent
from shared import fold, history
from shared.messages import Write

# Every row counts here, repeats included: the fold takes them all.
_ROWS = """
SELECT device_id, event_id, kind, historical, time, original_time, TO_JSON_STRING(data) AS data, cleared
FROM `history.device_events`
WHERE project_id = @project AND time BETWEEN @since AND @until AND kind = 'data'
"""
_SEEN = "SELECT device_id, event_id FROM history.events(@project, @since, @until)"
EXAMPLE = """
SELECT blueprint_id, TIMESTAMP_TRUNC(time, HOUR) AS hour, COUNT(*) AS readings,
  ROUND(AVG(FLOAT64(data.temperature)), 2) AS temperature
FROM history.events(@project, @since, @until)
WHERE blueprint_id = 'coldRoom'
GROUP BY 1, 2 ORDER BY hour DESC LIMIT 3
"""
SINCE, UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

Identity = tuple[str, str]


@dataclass(frozen=True)
class Proof:
    """What was found. ``rows`` counts repeats too; the lists hold (device, event id) or device ids."""

    rows: int
    events: int
    lost: list[Identity]
    twice: list[Identity]
    foreign: list[Identity]
    altered: list[Identity]
    devices: int
    state_differs: list[str]
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
        }
        return [f"{what}: {len(found)}, such as {found[0]}" for what, found in named.items() if found]


def run(
    sql: bigquery.Client,
    store: firestore.Client,
    project: str,
    accepted: Sequence[Sent],
    tried: Sequence[Sent],
) -> Proof:
    """Compare. ``accepted`` had a 2xx; ``tried`` was sent at all, answered or not."""
    rows = [dict(row) for row in query(sql, _ROWS, project)]
    seen = Counter((row["device_id"], row["event_id"]) for row in query(sql, _SEEN, project))
    promised = {(sent.device_id, sent.event_id) for sent in accepted if sent.fate == "known"}
    sent_data = {(sent.device_id, sent.event_id): sent for sent in tried if sent.fate == "known"}
    states = {
        document.id: document.to_dict() or {}
        for document in store.collection("projects", project, "devices").stream()
    }
    folded = fold_rows(rows)
    unknown = store.collection("projects", project, "unknownDevices").stream()
    quarantined = store.collection("projects", project, "quarantine").count().get()
    return Proof(
        rows=len(rows),
        events=len(seen),
        lost=sorted(promised - seen.keys()),
        twice=sorted(identity for identity, count in seen.items() if count > 1),
        foreign=sorted(seen.keys() - sent_data.keys()),
        altered=sorted(_altered(rows, sent_data)),
        devices=sum(1 for state in states.values() if state.get("data")),
        state_differs=sorted(
            device
            for device in states.keys() | folded.keys()
            if states.get(device, {}).get("data", {}) != folded.get(device, {})
        ),
        unknown=sum((record.to_dict() or {})["count"] for record in unknown),
        quarantined=int(quarantined[0][0].value),
    )


def query(sql: bigquery.Client, text: str, project: str) -> Iterable[Mapping[str, Any]]:
    """Run a query with the parameters that all of ours have."""
    parameters = [
        bigquery.ScalarQueryParameter("project", "STRING", project),
        bigquery.ScalarQueryParameter("since", "TIMESTAMP", SINCE),
        bigquery.ScalarQueryParameter("until", "TIMESTAMP", UNTIL),
    ]
    job = sql.query(text, job_config=bigquery.QueryJobConfig(query_parameters=parameters))
    rows: Iterable[Mapping[str, Any]] = job.result()
    return rows


def fold_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The state of each device, computed anew from rows of history."""
    registers: dict[str, fold.Registers] = defaultdict(dict)
    for row in rows:
        step = history.folded(row)
        if step is not None:
            fold.fold(registers[row["device_id"]], [step])
    return {device: fold.derive(held) for device, held in registers.items()}


def _altered(rows: Iterable[Mapping[str, Any]], sent: Mapping[Identity, Sent]) -> set[Identity]:
    wrong = set()
    for row in rows:
        identity = (row["device_id"], row["event_id"])
        if identity in sent and json.loads(row["data"]) != _expected(sent[identity]):
            wrong.add(identity)
    return wrong


def _expected(sent: Sent) -> Any:
    data = msgspec.json.decode(sent.text)["data"]
    settled = fold.settle([Write(path, value) for path, value in data.items()])
    return fold.nest(settled.leaves)
