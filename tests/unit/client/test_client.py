"""The client's rules: what is sent, what is sent again, and what each answer becomes."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from fulcrum import AsyncClient, Client, errors
from fulcrum.client import request as requests
from local.client_code.__main__ import different, made

ERROR = {
    "status": 404,
    "error": "blueprint.notFound",
    "message": "none",
    "description": "look",
    "requestId": "r1",
}


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    transport = httpx.MockTransport(answer)
    return Client(
        "http://api", token="t", project="p", http=httpx.Client(transport=transport, base_url="http://api")
    )


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def test_made_files_are_what_the_api_asks_for() -> None:
    assert different(made()) == [], "run: python -m local.client_code"


def test_token_project_and_path_are_sent_and_no_parameter_breaks_out_of_the_path() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": "x"})

    with client(answer) as fulcrum:
        fulcrum.blueprint.get("../project?x=1")
    assert seen[0].url.raw_path == b"/v1/blueprint/..%2Fproject%3Fx%3D1"
    assert seen[0].headers["authorization"] == "Bearer t"
    assert seen[0].headers["x-fulcrum-project"] == "p"


def test_a_creation_is_sent_again_with_one_key_until_it_is_answered() -> None:
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        if len(keys) == 1:
            raise httpx.ReadError("the answer was lost")
        if len(keys) == 2:
            return httpx.Response(503, json=ERROR | {"status": 503}, headers={"Retry-After": "0"})
        return httpx.Response(201, json={"id": "x"})

    with client(answer) as fulcrum:
        assert fulcrum.blueprint.create("p", {"name": "n", "alias": "a"})["id"] == "x"
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_a_change_whose_answer_was_lost_is_not_sent_again() -> None:
    count = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        raise httpx.ReadError("the answer was lost")

    with client(answer) as fulcrum, pytest.raises(errors.Unreachable, match="the answer was lost"):
        fulcrum.blueprint.update("x", {"name": "n"})
    assert count == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.ApiError),
        (401, errors.NotSignedIn),
        (403, errors.Denied),
        (404, errors.NotFound),
        (410, errors.NotFound),
        (409, errors.Conflict),
        (412, errors.Conflict),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[errors.ApiError]) -> None:
    with (
        client(lambda request: httpx.Response(status, json=ERROR | {"status": status})) as fulcrum,
        pytest.raises(kind) as caught,
    ):
        fulcrum.blueprint.get("x")
    assert (caught.value.error, caught.value.request_id) == ("blueprint.notFound", "r1")


def test_an_answer_that_is_not_the_apis_says_so() -> None:
    with (
        client(lambda request: httpx.Response(502, text="<html>Bad gateway</html>")) as fulcrum,
        pytest.raises(errors.Unreachable, match="is it the address of the API"),
    ):
        fulcrum.blueprint.get("x")


def test_pages_are_followed_to_the_last() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        second = "cursor" in request.url.params
        body = {"count": 1, "perPage": 1, "items": [{"id": "b" if second else "a"}]}
        return httpx.Response(200, json=body if second else body | {"next": "c"})

    with client(answer) as fulcrum:
        assert [item["id"] for item in fulcrum.blueprint.list_all("p")] == ["a", "b"]


async def test_the_awaited_client_does_the_same() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(404, json=ERROR)
        return httpx.Response(201, json=json.loads(request.content) | {"id": "x"})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://api")
    async with AsyncClient("http://api", token=lambda: "t", http=http) as fulcrum:
        assert (await fulcrum.blueprint.create("p", {"name": "n", "alias": "a"}))["name"] == "n"
        with pytest.raises(errors.NotFound):
            await fulcrum.blueprint.delete("x")


def test_waits_are_bounded_and_end() -> None:
    get = requests.Request("GET", "/")
    assert requests.wait_before_next(get, 1, 503, "3") == pytest.approx(3, abs=1)
    assert requests.wait_before_next(get, 1, 503, "3600") is None
    assert requests.wait_before_next(get, requests.TRIES, 503, None) is None
    assert requests.wait_before_next(get, 1, 400, None) is None
