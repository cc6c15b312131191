"""What ours adds: documents outlive a SIGKILL, faults on request, /reset and /calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.processes import python, read_ready_line, spawn
from shared import clock
from tests.integration.firestore.api import Api, code_of, eventually, value
from tests.support.emulators import Address, embedded

DATA = {"x": 1, "m": {"k": [1, None, {"z": b"raw"}]}, "text": "é"}


class Emulator:
    """Ours with a data folder, to be killed and started again."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._project = ""
        self.api = self._start()

    def _start(self) -> Api:
        self._child = spawn("firestore", python("-m", "emulators.firestore", "--data", str(self._folder)))
        ready = read_ready_line(self._child)
        address = Address("embedded", f"127.0.0.1:{ready['grpc']}", f"http://127.0.0.1:{ready['http']}")
        return Api(address, self._monkeypatch, self._project)

    def kill_and_restart(self) -> None:
        self._project = self.api.project
        self.close()
        self.api = self._start()

    def close(self) -> None:
        self._child.kill()
        self.api.close()


def test_what_is_acknowledged_outlives_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator(tmp_path / "data", monkeypatch)
    try:
        api = emulator.api
        api.commit(api.set("c/a", DATA), api.set("c/gone", {"x": 1}), api.set("c/a/sub/b", {"x": 2}))
        api.commit(api.delete("c/gone"))
        api.batch_write(api.set("c/w", {"n": 1}), api.delete("c/none"))
        api.commit(api.transform("c/w", {"field_path": "n", "increment": value(4)}))
        other = f"projects/{api.project}/databases/other"
        write = {"update": {"name": f"{other}/documents/c/o", "fields": {"x": value(3)}}}
        api.call("commit", database=other, writes=[write])
        before = api.get("c/a")
        newest = api.get("c/w").update_time
        emulator.kill_and_restart()
        api = emulator.api
        assert api.get("c/a") == before
        assert api.read("c/w") == {"n": 5}
        assert api.query({"from_": [{"collection_id": "c"}]}) == ["c/a", "c/w"]
        assert api.query({"from_": [{"collection_id": "sub", "all_descendants": True}]}) == ["c/a/sub/b"]
        assert api.call("get_document", name=f"{other}/documents/c/o").fields["x"].integer_value == 3
        assert api.commit(api.set("c/new")).write_results[0].update_time > newest
        precondition = {"current_document": {"update_time": before.update_time}}
        assert code_of(lambda: api.commit(api.set("c/a", {"x": 2}, **precondition))) == "OK"
        api.control("POST", "/reset")
        emulator.kill_and_restart()
        assert emulator.api.query({"from_": [{"collection_id": "c"}]}) == []
    finally:
        emulator.close()


def test_an_answer_that_is_lost_after_the_commit(ours: Api) -> None:
    rule = {"method": "Commit", "drop_answer_rate": 1.0}
    ours.control("POST", "/faults", {"rules": [rule]})
    assert code_of(lambda: ours.commit(ours.set("c/a", {"x": 1}))) == "UNAVAILABLE"
    ours.control("DELETE", "/faults")
    assert ours.read("c/a") == {"x": 1}
    # Whoever tries again with a precondition learns that it has happened.
    again = ours.set("c/a", {"x": 1}, current_document={"exists": False})
    assert code_of(lambda: ours.commit(again)) == "ALREADY_EXISTS"


def test_a_call_that_fails_before_any_work(ours: Api) -> None:
    rule = {"method": "BatchWrite", "error_rate": 1.0, "code": "RESOURCE_EXHAUSTED"}
    ours.control("POST", "/faults", {"rules": [rule]})
    assert code_of(lambda: ours.batch_write(ours.set("c/a", {"x": 1}))) == "RESOURCE_EXHAUSTED"
    assert ours.read("c/a") is None
    assert code_of(lambda: ours.commit(ours.set("c/a", {"x": 1}))) == "OK"


def test_the_official_client_gets_over_transient_errors(ours: Api) -> None:
    ours.commit(ours.set("c/a", {"x": 1}))
    rule = {"method": "BatchGetDocuments", "error_rate": 0.5}
    ours.control("POST", "/faults", {"rules": [rule], "seed": 3})
    assert [ours.read("c/a") for _ in range(5)] == [{"x": 1}] * 5
    assert ours.control("GET", "/calls")["BatchGetDocuments"] > 5


def test_a_stream_that_breaks_is_taken_up_again(ours: Api) -> None:
    results: list[list[str]] = []
    ours.control("POST", "/faults", {"rules": [{"method": "Listen", "drop_answer_rate": 1.0}]})
    watch = ours.client.collection("c").on_snapshot(
        lambda documents, *_: results.append([item.id for item in documents])
    )
    ours.client.document("c/a").set({"x": 1})
    eventually(lambda: ours.control("GET", "/calls").get("Listen", 0) > 1)
    ours.control("DELETE", "/faults")
    ours.client.document("c/b").set({"x": 1})
    eventually(lambda: results and results[-1] == ["a", "b"])
    watch.unsubscribe()


def test_reset_forgets_documents_and_tells_listeners(ours: Api) -> None:
    results: list[list[str]] = []
    ours.client.document("c/a").set({"x": 1})
    watch = ours.client.collection("c").on_snapshot(
        lambda documents, *_: results.append([item.id for item in documents])
    )
    eventually(lambda: results == [["a"]])
    transaction = ours.begin()
    ours.control("POST", "/reset")
    eventually(lambda: results[-1] == [])
    watch.unsubscribe()
    assert ours.read("c/a") is None
    assert code_of(lambda: ours.commit(transaction=transaction)) == "INVALID_ARGUMENT"


def test_times_follow_the_clock_of_the_local_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clock"
    clock.create(path)
    with embedded("firestore", env={"FULCRUM_CLOCK_FILE": str(path)}) as address:
        api = Api(address, monkeypatch)
        before = api.commit(api.set("c/a", {"x": 1})).commit_time
        clock.advance(path, 86_400)
        later = api.commit(api.set("c/a", {"x": 2})).commit_time
        clock.advance(path, -86_400)
        last = api.commit(api.set("c/a", {"x": 3})).commit_time
        api.close()
    assert (later - before).total_seconds() >= 86_400
    # A clock that goes back does not take update times with it.
    assert last > later


def test_calls_are_counted(ours: Api) -> None:
    ours.control("DELETE", "/calls")
    ours.commit(ours.set("c/a"))
    ours.read("c/a")
    assert ours.control("GET", "/calls") == {"Commit": 1, "BatchGetDocuments": 1}


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("partition_query", {"partition_count": 2}),
        ("run_query", {"structured_query": {}, "explain_options": {"analyze": True}}),
        ("run_query", {"structured_query": {}, "read_time": "2020-01-01T00:00:00Z"}),
        ("run_query", {"structured_query": {"find_nearest": {"limit": 1}}}),
        ("list_documents", {"collection_id": "c", "read_time": "2020-01-01T00:00:00Z"}),
        ("list_collection_ids", {"read_time": "2020-01-01T00:00:00Z"}),
    ],
)
def test_what_is_not_done_is_refused_by_name(ours: Api, method: str, request_: dict[str, object]) -> None:
    def call() -> None:
        list(ours.call(method, parent=ours.root, **request_))

    assert code_of(call) == "UNIMPLEMENTED"
