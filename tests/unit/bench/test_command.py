"""Names that can be asked for, what is counted as a call, and the events that are sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.events import made_calls
from bench.figures import Figure, Target
from bench.fleet import arrays, event
from bench.growth import name_of
from bench.load import Poster

PROMISED = {
    "cold_start",
    "cold_start_first_write",
    "memory_first_request",
    "warm_noop_push",
    "event_in_array_of_100",
    "event_16_concurrent_posts",
    "rpcs_per_100_events",
    "events_per_second_single",
    "events_per_second_array",
    "cost_growth_100_to_100k",
    "api_cold_start",
    "script_call_per_event_in_batch_of_100",
    "script_deploy_first_event",
    "replay_events_per_second",
}


def test_every_promised_figure_can_be_asked_for() -> None:
    assert set(command.NAMES) == PROMISED
    assert {group for name in PROMISED for group in command.wanted_groups([name])} == set(command.GROUPS)


def test_only_the_groups_that_yield_what_is_asked_for_run() -> None:
    assert command.wanted_groups([]) == list(command.GROUPS)
    assert command.wanted_groups(["warm_noop_push", "rpcs_per_100_events"]) == ["pushes", "events"]


def test_a_foreign_name_ends_the_command_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--only", "cold_start,warmth"])
    assert ended.value.code == 2
    assert "no such figure: warmth; there are cold_start," in capsys.readouterr().err


def test_a_group_that_fails_is_named_and_takes_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(poster: Poster, quick: bool) -> list[Figure]:
        raise RuntimeError("the emulator did not start")

    def sound(poster: Poster, quick: bool) -> list[Figure]:
        return [Figure("warm_noop_push", 60, 100, "us CPU a push", Target(0.3))]

    monkeypatch.setattr(command, "_MEASURES", {"start": broken, "pushes": sound})
    monkeypatch.setattr(command, "LOGS", tmp_path)
    (tmp_path / "old.log").write_text("of the last run")
    output = tmp_path / "bench.json"

    status = command.main(["--only", "cold_start,warm_noop_push", "--output", str(output)])

    assert status == 1
    assert json.loads(output.read_text()).keys() == {"warm_noop_push"}
    printed = capsys.readouterr()
    assert "missed: warm_noop_push" in printed.out
    assert "not measured" in printed.out
    assert "cold_start_first_write" in printed.out.splitlines()[-1]
    assert "the emulator did not start" in printed.err
    assert not (tmp_path / "old.log").exists()


def test_a_missed_target_alone_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missed = [Figure("warm_noop_push", 60, 100, "us CPU a push", Target(0.3))]
    monkeypatch.setattr(command, "_MEASURES", {"pushes": lambda poster, quick: missed})
    monkeypatch.setattr(command, "LOGS", tmp_path)
    output = tmp_path / "bench.json"
    assert command.main(["--only", "warm_noop_push", "--output", str(output)]) == 0


def test_rows_that_say_more_stay_and_figures_that_nobody_asked_for_go() -> None:
    figures = [
        Figure(name, 1, 1, "x") for name in ("cold_start", "memory_first_request", "cold_start_transponder")
    ]
    names = [figure.name for figure in command.kept(figures, ["cold_start"])]
    assert names == ["cold_start", "cold_start_transponder"]
    assert command.kept(figures, []) == figures


def test_only_calls_that_functions_make_are_counted() -> None:
    calls = {
        "pubsub.Publish": 2,
        "pubsub.Acknowledge": 40,
        "firestore.BatchWrite": 1,
        "firestore.BatchGetDocuments": 1,
        "bigquery.AppendRows": 1,
    }
    assert made_calls(calls) == 5


def test_an_array_is_what_ingest_takes_and_holds_each_event_once() -> None:
    events = [event(f"SN-{number}", f"e{number}", 1_700_000_000_000) for number in range(250)]
    posted = [json.loads(body) for body in arrays(events)]
    assert [len(body) for body in posted] == [100, 100, 50]
    assert [item["id"] for body in posted for item in body] == [f"e{number}" for number in range(250)]
    assert posted[0][0].keys() == {"deviceId", "id", "time", "data"}


def test_an_event_is_the_same_whenever_it_is_made_so_that_runs_compare() -> None:
    assert event("a", "e1", 1) == event("a", "e1", 1)
    assert json.loads(event("a", "e1", 1))["data"] != json.loads(event("a", "e2", 1))["data"]


@pytest.mark.parametrize(
    ("size", "name"),
    [(100, "event_at_100_devices"), (10_000, "event_at_10k_devices"), (2_000, "event_at_2k_devices")],
)
def test_a_fleet_size_has_a_name(size: int, name: str) -> None:
    assert name_of(size) == name
