"""Killed after any of its effects: the next delivery, or the next night, finishes, and the state stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fulcrum.core import ids
from functions.db_curator import handle
from shared import clock
from shared.clients import bigquery, firestore
from shared.clients import history as history_client
from shared.messages import Write
from shared.retention import reading
from shared.retention.curation import CurateStore
from shared.retention.going_sql import Going
from tests.support.curator import DAY_MS, Curator, folded, rows
from tests.support.history import alarm, event

TODAY = clock.now_ms() // DAY_MS * DAY_MS
NOW = TODAY + 3 * 3_600_000
# All that changes anything, by what a curation calls for it.
EFFECTS = ((firestore, "commit"), (history_client, "append"), (bigquery, "change"))
# The document; the plan; two days shortened, defined, kept and deleted, each noted; snapshots; twice the end.
BOUNDARIES = 18


class Killed(BaseException):
    """The process is no more."""


class Killer:
    """Ends the process after its n-th effect, whose answer it does not see any more."""

    def __init__(self, patch: pytest.MonkeyPatch, last: int) -> None:
        self.count = 0
        self.last = last
        for module, name in EFFECTS:
            patch.setattr(module, name, self._watched(getattr(module, name)))

    def _watched(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(*given: Any, **more: Any) -> Any:
            answer = await call(*given, **more)
            self.count += 1
            if self.count == self.last:
                raise Killed
            return answer

        return watched


def fill(curator: Curator, project: str) -> None:
    """A day of which all goes, one that is shortened, and one that stays."""
    day = DAY_MS
    curator.project(project, {"history": {"days": 10, "paths": [{"path": "keep", "days": 20}]}})
    curator.history.write(
        event(project, TODAY - round(30.5 * day), {"a/b": 1, "keep": 1}),
        event(project, TODAY - round(30.4 * day), writes=[Write("a", {"c": 2}, op="replace")]),
        event(project, TODAY - round(15.5 * day), {"x": 1, "keep": 2}),
        alarm(project, TODAY - round(15.5 * day), "r1"),
        event(project, TODAY - round(2.5 * day), {"y": 1}),
    )


async def goes(project: str, now: int) -> dict[int, tuple[int, int]]:
    scopes = await reading.history_scopes(project, "history", now)
    days = await reading.days(Going("history", project, scopes, now), 2**40)
    return {day.day: (day.rows, day.shortened) for day in days}


@pytest.mark.parametrize("last", range(1, BOUNDARIES + 1))
async def test_whoever_is_killed_leaves_what_the_next_one_finishes(
    curator: Curator, project: str, last: int
) -> None:
    # A message that is lost altogether, now and then: the next night's is another one.
    how = "next night" if last % 3 == 0 else "delivered again"
    fill(curator, project)
    before = await folded(project)
    message = CurateStore(project_id=project, run=ids.new_id(), now=NOW, store="history")
    with pytest.MonkeyPatch.context() as patch:
        Killer(patch, last)
        with pytest.raises(Killed):
            await handle.handle(message)
    assert await folded(project) == before

    now = NOW if how == "delivered again" else NOW + DAY_MS
    if how == "next night":
        message = CurateStore(project_id=project, run=ids.new_id(), now=now, store="history")
    assert (await handle.handle(message))["outcome"] in ("done", "elsewhere")
    assert await folded(project) == before
    assert await goes(project, now) == {}
    left = {(row["kind"], row["data"]) for row in await rows(project)}
    assert ("data", '{"keep":2}') in left
    assert ("event", None) in left
    assert not any(data and '"x"' in data for kind, data in left if kind == "data")


async def test_there_are_no_more_effects_than_these(curator: Curator, project: str) -> None:
    fill(curator, project)
    with pytest.MonkeyPatch.context() as patch:
        killer = Killer(patch, 0)
        await handle.handle(CurateStore(project_id=project, run="r", now=NOW, store="history"))
    assert killer.count == BOUNDARIES
