"""Retention from the command line."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import FakeApi

PATH = "/v1/project/p/retention"
DAY = {"day": 1_790_000_000_000, "rows": 12_000, "bytes": 5, "shortened": 1, "shortenedBytes": 7}
STORE = {"store": "history", "exact": True, "rows": 12_000, "bytes": 5, "shortened": 1, "days": [DAY]}
OTHER = {"store": "quarantine", "exact": False, "rows": 2, "expiring": 3}


def test_what_would_go_is_shown_by_stores_and_days(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    api.on("GET", f"{PATH}/preview", {"at": 1_790_000_000_000, "stores": [STORE, OTHER]})
    shown = run("retention", "preview", "--at", "1790000000000", "--days").out.splitlines()
    assert api.seen[0].query == {"at": "1790000000000"}
    assert shown[0] == "at 2026-09-21T14:13:20.000Z"
    assert shown[3].split() == ["history", "12,000", "1", "5", "0", "0", "yes"]
    assert shown[4].split() == ["quarantine", "2", "0", "0", "0", "3", "estimate"]
    assert shown[-1].split() == ["history", "2026-09-21", "12,000", "5", "1", "7"]
    assert len(run("retention", "preview").out.splitlines()) == 5
    assert run("retention", "preview", "--json").json["stores"] == [STORE, OTHER]


def test_nothing_goes_unless_somebody_is_sure(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.on("POST", f"{PATH}/curate", {"status": "accepted", "run": "2026-11-30-x", "now": 1})
    assert run("retention", "curate").code == 2
    assert api.seen == []
    ended = run("retention", "curate", "--yes")
    assert (ended.code, ended.out) == (0, "2026-11-30-x\n")
    assert run("retention", "curate", "--yes", "--json").json["run"] == "2026-11-30-x"
