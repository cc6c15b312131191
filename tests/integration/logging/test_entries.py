"""The stand-in of Cloud Logging over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulators import Address, embedded

PROJECT = "fulcrum-local"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


@pytest.fixture
def emulator(log: Path) -> Iterator[Address]:
    with embedded("logging", "--log", str(log), env={"GOOGLE_CLOUD_PROJECT": PROJECT}) as address:
        yield address


def call(address: Address, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(address.http.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, body if isinstance(body, bytes) else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def entries(address: Address, **body: Any) -> tuple[int, Any]:
    return call(address, "POST", "/v2/entries:list", {"resourceNames": [f"projects/{PROJECT}"], **body})


def write(log: Path, *message_ids: str) -> None:
    with log.open("a") as file:
        for second, message_id in enumerate(message_ids):
            time = f"2026-11-29T12:00:{second:02d}+00:00"
            head = {"severity": "INFO", "time": time, "message": "batch", "service": "s"}
            file.write(json.dumps({**head, "messageId": message_id}) + "\n")


def test_entries_are_paged_in_their_order(emulator: Address, log: Path) -> None:
    write(log, *"abcde")
    body: dict[str, Any] = {"filter": 'resource.type="cloud_run_revision"', "pageSize": 2}
    seen: list[str] = []
    while True:
        status, answer = entries(emulator, **body)
        assert status == 200
        seen += [entry["jsonPayload"]["messageId"] for entry in answer["entries"]]
        if "nextPageToken" not in answer:
            break
        body["pageToken"] = answer["nextPageToken"]
    assert seen == list("abcde")
    _, last = entries(emulator, orderBy="timestamp desc", pageSize=1)
    assert last["entries"][0]["jsonPayload"]["messageId"] == "e"
    status, answer = entries(emulator, pageToken=last["nextPageToken"])
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert entries(emulator, filter='jsonPayload.messageId="none"') == (200, {})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"resourceNames": []}, 400),
        ({"resourceNames": ["projects/other"]}, 404),
        ({"resourceNames": ["folders/1"]}, 501),
        ({"pageSize": 1001}, 400),
        ({"pageToken": "x"}, 400),
        ({"orderBy": "severity"}, 400),
        ({"filter": 5}, 400),
        ({"filter": "a:b"}, 501),
        ({"surprise": 1}, 400),
    ],
)
def test_a_bad_request_is_refused(emulator: Address, body: dict[str, Any], code: int) -> None:
    status, answer = entries(emulator, **body)
    assert (status, answer["error"]["code"]) == (code, code)


def test_no_json_and_other_methods_are_refused_by_name(emulator: Address) -> None:
    assert call(emulator, "POST", "/v2/entries:list", b"{")[0] == 400
    status, answer = call(emulator, "POST", "/v2/entries:write", {})
    assert status == 501
    assert "entries:write" in answer["error"]["message"]


def test_faults_are_injected(emulator: Address) -> None:
    rule = {"method": "ListLogEntries", "error_rate": 1, "code": "RESOURCE_EXHAUSTED"}
    call(emulator, "POST", "/faults", {"rules": [rule]})
    status, answer = entries(emulator)
    assert (status, answer["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
