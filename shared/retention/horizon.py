"""What of the history is settled: where the last curation has been, nothing goes that did not come since.

Without it each night would read again all that is older than the shortest rule of any path. A curation that
ends leaves its rules and its instant in ``projects/{p}/curations/last-{store}``; where the next one has the
same rules, only days that have grown too old since are looked at, and those of rows that came late.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shared import names, values
from shared.clients import bigquery, firestore
from shared.clients.firestore_pb import messages
from shared.config import settings
from shared.history import TABLE
from shared.retention.asking import asked
from shared.retention.rules import DAY_MS, UNTOUCHED_MS, Scope, latest

# More ranges of days than these make a query longer than what they save.
_MOST = 100
# (from its first instant, until before this one), epoch ms.
Range = tuple[int, int]


class Last(msgspec.Struct, frozen=True):
    """A curation that ended: by which instant it went, and by which rules."""

    now: int
    scopes: list[Scope]


def crossed(last: Last, now: int, scopes: Sequence[Scope]) -> list[Range] | None:
    """What has grown too old since by the same rules, in order; None where the rules are others."""
    moved = now // DAY_MS * DAY_MS - last.now // DAY_MS * DAY_MS
    if moved < 0 or [scope.blueprint_id for scope in last.scopes] != [scope.blueprint_id for scope in scopes]:
        return None
    found: list[Range] = []
    for before, after in zip(last.scopes, scopes, strict=True):
        if [rule.path for rule in before.rules] != [rule.path for rule in after.rules]:
            return None
        for old, new in zip(before.rules, after.rules, strict=True):
            if new.cutoff != (old.cutoff and old.cutoff + moved):
                return None
            if old.cutoff < new.cutoff:
                found.append((old.cutoff, new.cutoff))
    return merged(found)


def merged(ranges: Sequence[Range]) -> list[Range]:
    """The same days in as few ranges as can be."""
    made: list[Range] = []
    for since, until in sorted(ranges):
        if made and since <= made[-1][1]:
            made[-1] = (made[-1][0], max(until, made[-1][1]))
        else:
            made.append((since, until))
    return made


async def unsettled(
    project_id: str, store: str, scopes: Sequence[Scope], now: int, max_bytes: int
) -> list[Range] | None:
    """The days on which something may go; None for all. Rejected or Transient where a store says no."""
    if all(len(scope.rules) == 1 for scope in scopes):
        # What is old is gone as a whole: there is nothing to be read again.
        return None
    last = await read(project_id, store)
    ranges = crossed(last, now, scopes) if last else None
    if last is None or ranges is None:
        return None
    given: list[bigquery.Parameter] = [
        ("project", "STRING", project_id),
        ("latest", "TIMESTAMP", latest(scopes)),
        ("since", "TIMESTAMP", last.now - UNTOUCHED_MS),
    ]
    sql = (
        "SELECT DISTINCT UNIX_MILLIS(TIMESTAMP_TRUNC(time, DAY)) AS day "  # noqa: S608 our own text
        f"FROM `{settings().bigquery_dataset}.{TABLE}` "
        "WHERE project_id = @project AND time < @latest AND stored_time >= @since"
    )
    late = [int(row[0] or 0) for row in await asked(sql, given, max_bytes)]
    found = merged([*ranges, *((day, day + DAY_MS) for day in late)])
    return found if len(found) <= _MOST else None


def _name(project_id: str, store: str) -> str:
    return names.document("projects", project_id, "curations", f"last-{store}")


async def read(project_id: str, store: str) -> Last | None:
    """The last curation of a store that ended, if there is one that can be read."""
    name = _name(project_id, store)
    found = (await firestore.batch_get([name], ["last"])).get(name)
    text = values.from_fields(found.fields).get("last") if found else None
    try:
        return None if text is None else msgspec.json.decode(text, type=Last)
    except msgspec.DecodeError:
        # Of another version: everything is looked at once more.
        return None


async def write(project_id: str, store: str, last: Last) -> None:
    """Note a curation that has ended. Transient or Rejected where Firestore does not take it."""
    pb = messages()
    made = pb.Write(update=pb.Document(name=_name(project_id, store)))
    values.to_fields(made.update.fields, {"last": msgspec.json.encode(last).decode()})
    await firestore.commit([made])
