"""The stand-in for Cloud Tasks as Google's client sees it, and as the target of its tasks does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from google.api_core import exceptions

from tests.integration.pubsub.conftest import eventually, stays
from tests.integration.pubsub.endpoint import Endpoint
from tests.integration.tasks.conftest import PARENT, QUEUE, Tasks, running


def _seen(endpoint: Endpoint, count: int) -> bool:
    return len(endpoint.received) == count


def test_a_task_is_sent_with_its_body_and_the_services_headers(tasks: Tasks, endpoint: Endpoint) -> None:
    made = tasks.create(endpoint.url, "a1", headers={"Content-Type": "text/x", "X-Own": "1"}, body=b"hello")
    assert made.name == f"{QUEUE}/tasks/a1"
    assert made.http_request.body == b""
    (got,) = endpoint.wait(1)
    assert (got.body, got.headers["content-type"], got.headers["x-own"]) == (b"hello", "text/x", "1")
    assert got.headers["x-cloudtasks-queuename"] == "timers"
    assert got.headers["x-cloudtasks-taskname"] == "a1"
    assert (got.headers["x-cloudtasks-taskretrycount"], got.headers["x-cloudtasks-taskexecutioncount"]) == (
        "0",
        "0",
    )
    eventually(lambda: not sum(tasks.backlog().values()))


def test_a_name_is_taken_while_its_task_is_there_and_a_day_after(tasks: Tasks, endpoint: Endpoint) -> None:
    tasks.create(endpoint.url, "a1", ahead=600)
    with pytest.raises(exceptions.AlreadyExists):
        tasks.create(endpoint.url, "a1")
    tasks.client.delete_task(name=f"{QUEUE}/tasks/a1")
    with pytest.raises(exceptions.AlreadyExists, match="existed too recently"):
        tasks.create(endpoint.url, "a1")
    tasks.create(endpoint.url, "a2")
    endpoint.wait(1)
    eventually(lambda: not sum(tasks.backlog().values()))
    tasks.advance(23 * 3600)
    with pytest.raises(exceptions.AlreadyExists):
        tasks.create(endpoint.url, "a2")
    tasks.advance(3700)
    tasks.create(endpoint.url, "a2")
    endpoint.wait(2)


def test_a_task_waits_for_its_time(tasks: Tasks, endpoint: Endpoint) -> None:
    tasks.create(endpoint.url, "a1", ahead=100)
    tasks.create(endpoint.url, "a2", ahead=50)
    stays(lambda: not endpoint.received)
    assert tasks.backlog() == {"running": 0, "due": 0, "waiting": 0, "scheduled": 2}
    tasks.advance(60)
    (got,) = endpoint.wait(1)
    assert got.headers["x-cloudtasks-taskname"] == "a2"
    tasks.advance(60)
    endpoint.wait(2)


def test_what_fails_comes_again_with_back_off_and_is_given_up(tasks: Tasks, endpoint: Endpoint) -> None:
    endpoint.status = 500
    tasks.create(endpoint.url, "a1")
    pauses = (10, 20, 40)
    for count, pause in enumerate(pauses, 1):
        endpoint.wait(count)
        eventually(lambda: tasks.backlog()["waiting"])
        found = tasks.client.get_task(name=f"{QUEUE}/tasks/a1")
        assert (found.dispatch_count, found.response_count) == (count, count)
        tasks.advance(pause - 4)
        stays(partial(_seen, endpoint, count))
        tasks.advance(5)
    last = endpoint.wait(4)[3]
    assert last.headers["x-cloudtasks-taskretrycount"] == "3"
    assert last.headers["x-cloudtasks-taskpreviousresponse"] == "500"
    eventually(lambda: not sum(tasks.backlog().values()))
    with pytest.raises(exceptions.AlreadyExists):
        tasks.create(endpoint.url, "a1")


def test_where_nobody_listens_or_nobody_answers_it_is_tried_again(tasks: Tasks, endpoint: Endpoint) -> None:
    tasks.create("http://127.0.0.1:9/", "a1")
    eventually(lambda: tasks.backlog()["waiting"] == 1)
    endpoint.gate.clear()
    tasks.create(endpoint.url, "a2")
    endpoint.wait(1)
    tasks.advance(601)
    eventually(lambda: tasks.backlog()["waiting"] >= 1 and not tasks.backlog()["running"])
    endpoint.gate.set()
    tasks.advance(61)
    assert endpoint.wait(2)[1].headers["x-cloudtasks-taskretrycount"] == "1"


def test_tasks_are_listed_in_pages_and_shown_whole_when_asked(tasks: Tasks, endpoint: Endpoint) -> None:
    for number in range(5):
        tasks.create(endpoint.url, f"t{number}", ahead=600, body=b"x")
    listed = tasks.client.list_tasks(request={"parent": QUEUE, "page_size": 2, "response_view": 2})
    found = list(listed)
    assert [task.name.rpartition("/")[2] for task in found] == [f"t{number}" for number in range(5)]
    assert {task.http_request.body for task in found} == {b"x"}
    assert tasks.client.get_queue(name=QUEUE).retry_config.max_attempts == 4


def test_what_is_wrong_is_refused_as_the_service_does(tasks: Tasks, endpoint: Endpoint) -> None:
    client, url = tasks.client, endpoint.url
    with pytest.raises(exceptions.NotFound):
        client.create_task(parent=f"{PARENT}/queues/none", task={"http_request": {"url": url}}, retry=None)
    for wrong in ("a b", "", "x" * 501):
        task = {"name": f"{QUEUE}/tasks/{wrong}", "http_request": {"url": url}}
        with pytest.raises(exceptions.InvalidArgument):
            client.create_task(parent=QUEUE, task=task, retry=None)
    with pytest.raises(exceptions.InvalidArgument, match="30 days"):
        tasks.create(url, ahead=31 * 86_400)
    with pytest.raises(exceptions.InvalidArgument):
        tasks.create("ftp://x")
    with pytest.raises(exceptions.InvalidArgument):
        tasks.create(url, body=b"x" * 1_100_000)
    with pytest.raises(exceptions.MethodNotImplemented):
        client.create_task(parent=QUEUE, task={"app_engine_http_request": {"relative_uri": "/"}}, retry=None)
    with pytest.raises(exceptions.MethodNotImplemented):
        client.pause_queue(name=QUEUE)
    with pytest.raises(exceptions.NotFound):
        client.delete_task(name=f"{QUEUE}/tasks/none", retry=None)
    with pytest.raises(exceptions.AlreadyExists):
        client.create_queue(parent=PARENT, queue={"name": QUEUE}, retry=None)


def test_faults_concern_calls_and_dispatches(tasks: Tasks, endpoint: Endpoint) -> None:
    tasks.control("POST", "/faults", {"rules": [{"method": "CreateTask", "drop_answer_rate": 1}]})
    with pytest.raises(exceptions.ServiceUnavailable):
        tasks.create(endpoint.url, "a1")
    endpoint.wait(1)
    tasks.control("POST", "/faults", {"rules": [{"method": "Dispatch", "drop_answer_rate": 1}]})
    tasks.create(endpoint.url, "a2")
    endpoint.wait(2)
    eventually(lambda: tasks.backlog()["waiting"] == 1)
    tasks.control("DELETE", "/faults")
    tasks.advance(11)
    endpoint.wait(3)


def test_no_more_are_out_at_once_than_the_queue_allows(tasks: Tasks, endpoint: Endpoint) -> None:
    tasks.client.update_queue(
        request={"queue": {"name": QUEUE, "rate_limits": {"max_concurrent_dispatches": 3}}}
    )
    endpoint.gate.clear()
    for number in range(9):
        tasks.create(endpoint.url, f"t{number}")
    endpoint.wait(3)
    stays(lambda: len(endpoint.received) == 3)
    endpoint.gate.set()
    endpoint.wait(9)
    assert endpoint.most_at_once == 3


def test_tasks_and_the_names_of_those_that_ran_outlive_a_kill(tmp_path: Path, endpoint: Endpoint) -> None:
    clock_file = tmp_path / "clock"
    with running(tmp_path / "data", clock_file) as tasks:
        tasks.queue(min_backoff={"seconds": 10})
        tasks.create(endpoint.url, "ran")
        endpoint.wait(1)
        eventually(lambda: not sum(tasks.backlog().values()))
        tasks.create(endpoint.url, "later", ahead=300)
        endpoint.gate.clear()
        tasks.create(endpoint.url, "out")
        endpoint.wait(2)
    endpoint.gate.set()
    with running(tmp_path / "data", clock_file) as tasks:
        assert endpoint.wait(3)[2].headers["x-cloudtasks-taskname"] == "out"
        for name in ("ran", "later"):
            with pytest.raises(exceptions.AlreadyExists):
                tasks.create(endpoint.url, name)
        tasks.advance(301)
        assert endpoint.wait(4)[3].headers["x-cloudtasks-taskname"] == "later"
