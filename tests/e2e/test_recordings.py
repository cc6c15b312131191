"""Recordings of real devices through the whole platform: what comes out is what was recorded.

The recordings are no part of this repository; where they lie beside it, in ``../shared/data``, they are used.
"""

from __future__ import annotations

import asyncio
import csv
import json
import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, firestore

from demo import prove, send
from demo.fleet import Sent
from fulcrum import Client
from local import seed
from local.processes import ROOT
from local.stack import Stack
from shared import clock
from tests.support.running_stack import administrator, in_environment

RECORDINGS = ROOT.parent / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings of real devices beside the repository"),
]


def instant(text: str) -> int:
    """The recordings' times, to epoch milliseconds; without an offset they are UTC."""
    time = datetime.fromisoformat(text)
    return clock.to_ms(time if time.tzinfo else time.replace(tzinfo=UTC))


def sensors() -> Iterator[tuple[str, int, dict[str, object]]]:
    """(device, time, data) of every row of a sensor that gives one number."""
    for path in sorted(RECORDINGS.glob("*.csv")):
        if path.name == "geolife_small.csv":
            continue
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                yield path.stem, instant(row["timestamp"]), {"value": float(row["value"])}


def tracks() -> Iterator[tuple[str, int, dict[str, object]]]:
    """(device, time, data) of every position of a person's recorder."""
    with open(RECORDINGS / "geolife_small.csv", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            position = {"lat": float(row["Y"]), "lon": float(row["X"])}
            yield f"tracker-{row['tracker']}", instant(row["t"]), {"position": position}


def as_events(network: str, rows: list[tuple[str, int, dict[str, object]]]) -> list[Sent]:
    """Events whose newest is now: history takes none that are as old as the recordings."""
    shift = clock.now_ms() - max(time for _, time, _ in rows)
    events = []
    for number, (device, time, data) in enumerate(rows):
        event = {"deviceId": device, "id": f"r{number}", "time": time + shift, "data": data}
        events.append(Sent(network, json.dumps(event), "known", f"r{number}", device))
    return events


@pytest.mark.parametrize("recording", [sensors, tracks], ids=["sensors", "tracks"])
def test_recordings_come_out_as_they_went_in(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    recording: Callable[[], Iterator[tuple[str, int, dict[str, object]]]],
) -> None:
    rows = list(recording())
    devices = sorted({device for device, _, _ in rows})
    project = recording.__name__
    network = f"{project}-recorders"
    events = as_events(network, rows)
    in_environment(stack, monkeypatch)
    store = firestore.Client(project=stack.project)
    sql = bigquery.Client(project=stack.project, credentials=AnonymousCredentials())
    seeds = [seed.SeedDevice(device, "recorder", network, device) for device in devices]
    made = seed.SeedProject(project, (seed.SeedNetwork(network),), {"recorder": None}, seeds)
    keys = seed.create(store, made)
    # Years of readings come within seconds.
    rates = {"networkPerSecond": 1_000_000, "devicePerSecond": 1_000_000}
    store.document(f"networks/{network}").update({"rateLimit": rates})
    book = asyncio.run(send.send(stack.url, keys, events, lambda _: None))
    stack.drain(120)
    with Client(stack.url, token=administrator(stack), project=project) as client:
        proof = prove.run(sql, client, project, book.accepted, events)
    assert len(book.accepted) == len(rows)
    assert proof.faults() == []
    assert (proof.events, proof.devices, proof.quarantined) == (len(rows), len(devices), 0)
    if recording is sensors:
        averages = {
            row["device_id"]: row["average"]
            for row in prove.query(
                sql,
                "SELECT device_id, AVG(FLOAT64(data.value)) AS average "
                "FROM history.events(@project, @since, @until) GROUP BY device_id",
                project,
            )
        }
        for device in devices:
            values = [float(str(data["value"])) for name, _, data in rows if name == device]
            assert averages[device] == pytest.approx(statistics.fmean(values))
    store.close()
    sql.close()
