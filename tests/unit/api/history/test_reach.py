"""Whose rows a caller gets: by project, system, device and a device above; never another project's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.history import DAY, History, alarm, at, event
from tests.unit.api.history.conftest import Farm

WINDOW = {"start": str(DAY), "end": str(DAY + 86_400_000)}
PERMISSION = {"history": "device.readHistory", "events": "device.readEvents"}


@pytest.fixture
def rows(history: History, farm: Farm) -> None:
    time = at("10:00:00.0")
    for project in (farm.project, f"other-{farm.project}"):
        for device, system in (("d1", "s1"), ("d2", "s1"), ("d3", "s2"), ("d1", "s2")):
            place = {"device_id": device, "system_id": system}
            history.write(
                event(project, time, {"v": project}, **place),
                alarm(project, time, f"{device}{system}", **place),
            )


PLACES: list[tuple[tuple[str, str] | None, str, Any]] = [
    # Where the permission is held, what is asked, and the devices whose rows come, or a status.
    (None, "project/{p}", ["d1", "d1", "d2", "d3"]),
    (None, "system/s1", ["d1", "d2"]),
    (None, "system/s2", ["d1", "d3"]),
    (None, "device/d1", ["d1", "d1"]),
    (None, "device/nowhere", 404),
    (None, "device/gone", 410),
    (None, "system/nowhere", 404),
    (("system", "s1"), "project/{p}", ["d1", "d2"]),
    (("system", "s1"), "system/s1", ["d1", "d2"]),
    (("system", "s1"), "system/s2", []),
    (("system", "s1"), "device/d2", ["d2"]),
    (("system", "s1"), "device/d3", 403),
    (("device", "d1"), "project/{p}", ["d1", "d1", "d2"]),
    (("device", "d1"), "system/s1", ["d1", "d2"]),
    (("device", "d1"), "device/d2", ["d2"]),
    (("device", "d2"), "device/d1", 403),
    (("device", "d2"), "project/{p}", ["d2"]),
    (("device", "d2"), "system/s2", []),
    (("device", "d3"), "device/d3", ["d3"]),
]


@pytest.mark.parametrize("model", ["history", "events"])
@pytest.mark.parametrize(("held", "path", "expected"), PLACES, ids=lambda item: str(item))
async def test_a_caller_gets_the_rows_that_he_may_read(
    model: str, held: Any, path: str, expected: Any, rows: None, farm: Farm
) -> None:
    url = f"/v1/{path.format(p=farm.project)}/{model}"
    async with farm.api.client(farm.token(PERMISSION[model], on=held)) as http:
        answer = await http.get(url, params=WINDOW)
    if isinstance(expected, int):
        assert answer.status_code == expected, answer.text
        return
    assert answer.status_code == 200, answer.text
    assert sorted(item["deviceId"] for item in answer.json()["items"]) == expected
    assert "other-" not in answer.text


@pytest.mark.parametrize("path", ["project/{p}/history", "system/s1/events", "device/d1/events"])
async def test_without_the_permission_nothing_is_asked(
    path: str, rows: None, farm: Farm, history: History
) -> None:
    wrong = PERMISSION["events" if path.endswith("history") else "history"]
    url = f"/v1/{path.format(p=farm.project)}"
    history.forget_calls()
    for token, status in ((farm.token(wrong), 403), ("", 401), (farm.token(), 403)):
        async with farm.api.client(token) as http:
            answer = await http.get(url, params=WINDOW)
            assert answer.status_code == status, answer.text
    assert history.calls() == {}


async def test_another_projects_caller_gets_nothing(rows: None, farm: Farm) -> None:
    stranger = farm.api.user(farm.api.project(f"other-{farm.project}"), "device.readHistory")
    async with farm.api.client(stranger) as http:
        named = await http.get(f"/v1/project/{farm.project}/history", params=WINDOW)
        device = await http.get("/v1/device/d1/history", params=WINDOW)
        query = await http.get("/v1/device/d1/history", params={**WINDOW, "projectId": farm.project})
    assert (named.status_code, device.status_code, query.status_code) == (403, 404, 403)
    for answer in (named, device, query):
        assert "s1" not in answer.text


async def test_an_administrator_names_the_project(rows: None, farm: Farm) -> None:
    async with farm.api.client(farm.api.admin()) as http:
        missing = await http.get("/v1/device/d1/history", params=WINDOW)
        named = await http.get("/v1/device/d1/history", params={**WINDOW, "projectId": farm.project})
    assert missing.json()["error"] == "project.missing"
    assert named.json()["count"] == 2
