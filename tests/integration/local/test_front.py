"""Requests and pushes find their function, and failures are told apart."""

from __future__ import annotations

import base64
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from google.api_core.exceptions import InvalidArgument

from local.front import MAX_BODY
from local.stack import DrainTimeout, Stack
from tests.integration.local.conftest import ask, eventually, publish

pytestmark = pytest.mark.xdist_group("local-front")  # one stack for all


def exchange(stack: Stack, request: str) -> tuple[str, str]:
    """Send a request as it stands, byte for byte; the head and the body of the answer."""
    url = urlsplit(stack.url)
    with socket.create_connection((url.hostname, url.port), 30) as connection:
        connection.sendall(request.encode())
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = text.partition("\r\n\r\n")
    return head, body


def test_request_reaches_its_function_unchanged(stack: Stack) -> None:
    answer = ask(f"{stack.url}/echo/a%2Fb?x=1%202&y", b"text", "PUT", X_Mine="m", Content_Type="text/x")
    assert answer.status == 200
    assert answer.body["method"] == "PUT"
    assert answer.body["path"] == "/echo/a%2Fb"
    assert answer.body["query"] == "x=1%202&y"
    assert answer.body["body"] == "text"
    headers = dict(answer.body["headers"])
    assert headers["x-mine"] == "m"
    assert headers["content-type"] == "text/x"
    assert headers["host"] == urlsplit(stack.url).netloc


def test_status_of_the_function_is_passed_on(stack: Stack) -> None:
    assert ask(f"{stack.url}/echo?status=418").status == 418


def test_body_that_is_compressed_stays_so(stack: Stack) -> None:
    answer = ask(f"{stack.url}/echo", b"not really gzip", Content_Encoding="gzip")
    assert answer.body["body"] == "not really gzip"


def test_headers_of_one_connection_are_not_passed_on(stack: Stack) -> None:
    request = (
        "POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close, X-Drop\r\nX-Drop: 1\r\nTE: trailers\r\n"
        "X-Forwarded-For: 192.0.2.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    head, body = exchange(stack, request)
    assert "x-own: 1" in head
    assert "x-hop" not in head.lower()
    seen = json.loads(body)
    headers = dict(seen["headers"])
    assert seen["body"] == "abc"
    assert not {"x-drop", "te", "transfer-encoding"} & set(headers)
    assert headers["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"
    assert headers["x-cloud-trace-context"]


def test_a_request_as_a_proxy_gets_it_reaches_the_same_path(stack: Stack) -> None:
    request = (
        "POST http://elsewhere.example/echo/a%2Fb?x=1 HTTP/1.1\r\nHost: h\r\n"
        "Connection: close\r\nContent-Length: 0\r\n\r\n"
    )
    head, body = exchange(stack, request)
    assert head.startswith("HTTP/1.1 200")
    seen = json.loads(body)
    assert (seen["path"], seen["query"]) == ("/echo/a%2Fb", "x=1")


def test_function_sees_emulators_and_its_settings_alone(stack: Stack) -> None:
    seen = ask(f"{stack.url}/echo").body["environment"]
    for name, value in stack.env().items():
        if not name.endswith("_CONTROL") and name != "FULCRUM_URL":
            assert seen[name] == value
    assert seen["FULCRUM_GREETING"] == "hello"
    assert seen["K_SERVICE"] == "echo"
    assert seen["FULCRUM_LOG_FORMAT"] == "json"
    # Who does not read logs is not told where they are.
    assert "FULCRUM_LOGGING_ENDPOINT" not in seen


def test_unknown_path_says_which_exist(stack: Stack) -> None:
    answer = ask(f"{stack.url}/nowhere")
    assert answer.status == 404
    assert answer.body["error"] == "path.notFound"
    assert "/echo" in answer.body["description"]


def test_pushes_have_a_side_of_their_own(stack: Stack, tmp_path: Path) -> None:
    inside = stack.urls["push"]
    base, token = inside.rsplit("/_push/")
    push = {"message": {"data": "e30=", "messageId": "1"}, "subscription": "s"}
    body = json.dumps(push).encode()
    assert ask(f"{stack.url}/_push/{token}jobs", body).status == 404  # not on the front
    assert ask(f"{base}/_push/guessed/jobs", body).status == 404
    assert ask(f"{inside}echo", body).status == 404  # no subscription wakes it
    assert ask(f"{inside}none", body).status == 404
    assert ask(f"{base}/_control/guessed/processes").status == 404


def test_tokens_that_are_no_ascii_are_refused_like_others(stack: Stack) -> None:
    base, _ = stack.urls["push"].rsplit("/_push/")
    for path in ("/_push/%C3%A9/echo", "/_control/%C3%A9/processes"):
        assert ask(f"{base}{path}").status == 404


def test_body_over_the_limit_is_refused(stack: Stack) -> None:
    assert ask(f"{stack.url}/echo", bytes(MAX_BODY)).body["size"] == MAX_BODY
    answer = ask(f"{stack.url}/echo", bytes(MAX_BODY + 1))
    assert (answer.status, answer.body["error"]) == (413, "body.tooLarge")


def test_function_that_does_not_answer_is_given_up(stack: Stack) -> None:
    answer = ask(f"{stack.url}/echo?sleep=30")
    assert (answer.status, answer.body["error"]) == (504, "function.timeout")
    assert ask(f"{stack.url}/echo").status == 200


def test_function_that_cannot_start_says_so(stack: Stack) -> None:
    answer = ask(f"{stack.url}/broken")
    assert (answer.status, answer.body["error"]) == (503, "function.unavailable")
    eventually(lambda: "this function is broken on purpose" in stack.log(), "the log must hold the reason")
    assert stack.processes()["broken"].state == "cold"


def test_requests_wait_for_one_start_and_for_a_place(stack: Stack) -> None:
    stack.kill_function("echo")
    before = stack.processes()["echo"].starts
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: ask(f"{stack.url}/echo?sleep=0.1"), range(16)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["pid"] for answer in answers}) == 1
    assert stack.processes()["echo"].starts == before + 1
    # Four at once, as services.yaml says; all four, since sixteen wait.
    assert max(answer.body["most"] for answer in answers) == 4


def test_crash_costs_the_request_and_no_more(stack: Stack) -> None:
    answer = ask(f"{stack.url}/echo?die=1")
    assert (answer.status, answer.body["error"]) == (503, "function.crashed")
    assert answer.headers["Retry-After"] == "1"
    assert ask(f"{stack.url}/echo").status == 200


def test_killed_function_starts_again(stack: Stack) -> None:
    first = ask(f"{stack.url}/echo").body["pid"]
    assert stack.function_cpu("echo") > 0
    assert stack.kill_function("echo")
    assert stack.function_cpu("echo") == 0
    assert not stack.kill_function("echo")
    assert ask(f"{stack.url}/echo").body["pid"] != first


def test_message_is_pushed_to_its_function(stack: Stack, tmp_path: Path) -> None:
    publish(stack, "jobs", {"file": str(tmp_path / "job")})
    stack.drain()
    assert (tmp_path / "job").read_text() == "began jobs-jobs\ndone\n"


def test_push_that_a_crash_cut_off_comes_again(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "job"
    publish(stack, "jobs", {"file": str(file), "die_once": True})
    eventually(lambda: file.exists() and stack.backlog()["jobs-jobs"]["outstanding"] == 0, "the first try")
    assert stack.backlog()["jobs-jobs"]["undelivered"] == 1
    stack.advance_clock(100)
    stack.drain()
    assert file.read_text() == "began jobs-jobs\nbegan jobs-jobs\ndone\n"


def test_push_that_always_fails_ends_in_the_dead_letter_topic(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "job"
    publish(stack, "jobs", {"file": str(file), "fail_while": str(tmp_path)})
    with pytest.raises(DrainTimeout, match=r"messages were left: .*jobs-jobs"):
        stack.drain(0.1)
    for attempt in range(1, 6):
        eventually(lambda: file.exists() and file.read_text().count("jobs-jobs") == attempt, "a try")  # noqa: B023
        eventually(lambda: stack.backlog()["jobs-jobs"]["outstanding"] == 0, "its answer")
        stack.advance_clock(200)
    eventually(lambda: "began failed-jobs" in file.read_text(), "the dead letter")
    assert file.read_text().count("began jobs-jobs") == 5


def test_client_that_goes_away_does_not_end_the_work(stack: Stack, tmp_path: Path) -> None:

    file = tmp_path / "job"
    data = base64.b64encode(json.dumps({"file": str(file), "sleep": 0.5}).encode()).decode()
    body = json.dumps({"message": {"data": data, "messageId": "1"}, "subscription": "s/by-hand"})
    url = urlsplit(stack.urls["push"])
    with socket.create_connection((url.hostname, url.port), 30) as connection:
        head = f"POST {url.path}jobs HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall((head + body).encode())
        eventually(file.exists, "the work must begin")
    eventually(lambda: "done" in file.read_text(), "the work must end")


def test_faults_and_calls_of_an_emulator(stack: Stack) -> None:

    stack.reset_calls("pubsub")
    stack.set_faults("pubsub", [{"method": "Publish", "error_rate": 1.0, "code": "INVALID_ARGUMENT"}])
    with pytest.raises(InvalidArgument):
        publish(stack, "jobs", {})
    stack.set_faults("pubsub", [])
    publish(stack, "mine", {})
    assert stack.calls("pubsub")["Publish"] == 2
    with pytest.raises(ValueError, match="400"):
        stack.set_faults("pubsub", [{"error_rate": 7}])


def test_the_log_is_served_again_when_what_serves_it_has_died(stack: Stack) -> None:
    ask(f"{stack.url}/echo")
    stack.kill_emulator("logging")

    def is_back() -> bool:
        try:
            return ask(f"{stack.urls['logging']}/health").status == 200
        except OSError:
            return False

    eventually(lambda: "the logging emulator ended" in stack.log(), "the log must say so")
    eventually(is_back, "it must come back")
    assert ask(f"{stack.url}/echo").status == 200
