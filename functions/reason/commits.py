"""What one call of a script leaves in the store, before it takes effect: records of runs, and caches. Pure.

All of it goes in one commit; what is too much for one in several, in the order of the events, each with what
the caches were after its last event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from functions.reason.decode import Done, Run
from functions.reason.scripts import Script
from shared import run_records, script_documents, values
from shared.clients.firestore import MAX_WRITES
from shared.clients.firestore_pb import messages
from shared.run_records import Record

# A commit's framing is small beside its writes.
MAX_BYTES = 3_500_000
_encode = msgspec.json.Encoder().encode


class Part(NamedTuple):
    """What one commit has: records, and caches by their document (fields)."""

    records: list[Any]
    caches: dict[str, dict[str, Any]]


def parts(
    script: Script, done: Sequence[tuple[Run, Done]], max_writes: int = MAX_WRITES, max_bytes: int = MAX_BYTES
) -> list[Part]:
    """The commits of a call's runs, in their order; none where nothing is to be kept."""
    made: list[Part] = []
    part, size = Part([], {}), 0
    for run, each in done:
        if not run_records.is_needed(each.outcome, counts=run.goes_on):
            continue
        record = run_records.creation(script.project_id, run.key, _record(script, run, each))
        caches = _caches(script, run, each)
        more = record.ByteSize() + sum(len(fields["value"]) + 500 for fields in caches.values())
        writes = len(part.records) + len(part.caches.keys() | caches.keys()) + 1
        if part.records and (size + more > max_bytes or writes > max_writes):
            made.append(part)
            part, size = Part([], {}), 0
        part.records.append(record)
        part.caches.update(caches)
        size += more
    return [*made, part] if part.records else made


def _record(script: Script, run: Run, done: Done) -> Record:
    return Record(
        script_id=script.id,
        version=done.version,
        device_id=run.message.device_id,
        event_id=run.message.id,
        outcome=done.outcome,
        devices=done.devices,
        received=run.now,
        created=done.started,
    )


def _caches(script: Script, run: Run, done: Done) -> dict[str, dict[str, Any]]:
    outcome = done.outcome
    caches: dict[str, dict[str, Any]] = {}
    if outcome.cache is not None and run.message.device_id:
        name = script_documents.device_cache(script.project_id, script.id, run.message.device_id)
        caches[name] = {
            "scriptId": script.id,
            "deviceId": run.message.device_id,
            "value": _encode(outcome.cache.value).decode(),
            # No two writes have the same: a run is recorded once, and long after that in another call.
            "mark": f"{run.key}-{done.started}",
        }
    if outcome.script_cache is not None:
        name = script_documents.script_cache(script.project_id, script.id)
        caches[name] = {"scriptId": script.id, "value": _encode(outcome.script_cache.value).decode()}
    return caches


def writes(part: Part, times: Mapping[str, Any]) -> list[Any]:
    """The writes of a commit. ``times``: the update times that caches must still have, None: not there yet.

    A cache that was not read is written whatever it is.
    """
    pb = messages()
    made = list(part.records)
    for name, fields in part.caches.items():
        write = pb.Write(update=pb.Document(name=name))
        values.to_fields(write.update.fields, fields)
        if name in times:
            if times[name] is None:
                write.current_document.exists = False
            else:
                write.current_document.update_time.CopyFrom(times[name])
        made.append(write)
    return made
