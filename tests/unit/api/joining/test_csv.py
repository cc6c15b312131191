"""Importing and exporting devices: checked whole, written once, the same again changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from functions.api.joining import csv_import
from functions.api.joining.csv_plan import Step
from tests.support.api import Api
from tests.unit.api.devices.support import latest_definition
from tests.unit.api.joining.support import Site, site

CSV = {"Content-Type": "text/csv"}


def _table(here: Site, count: int, **changes: str) -> str:
    head = "externalId,name,blueprint,system,network"
    head += f",alias.{here.network}.serial,tags,metadata.floor,metadata.note"
    rows = [
        ",".join(
            (
                f"x{number}",
                changes.get("name", f"Store {number}"),
                "coldStore",
                "northWing",
                here.network,
                f"SN-{number}",
                "new;warm",
                str(number),
                "'=1+1",
            )
        )
        for number in range(count)
    ]
    return "\r\n".join([head, *rows])


async def _import(http: httpx.AsyncClient, here: Site, table: str, **params: Any) -> httpx.Response:
    return await http.post(
        f"/v1/project/{here.project}/devices/import", content=table.encode(), params=params, headers=CSV
    )


def _first(devices: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return next(iter(devices.values()))


def _devices(api: Api, here: Site) -> dict[str, dict[str, Any]]:
    found = api.documents.collection(f"projects/{here.project}/devices").stream()
    return {document.id: document.to_dict() for document in found}


async def test_a_dry_run_writes_nothing_and_the_import_does_what_it_said(api: Api) -> None:
    here = site(api)
    table = _table(here, 250)
    async with api.client(api.admin()) as http:
        dry = await _import(http, here, table, dryRun=True)
        assert dry.status_code == 200, dry.text
        assert (dry.json()["created"], dry.json()["failed"]) == (250, 0)
        assert _devices(api, here) == {}
        done = (await _import(http, here, table)).json()
        assert (done["created"], done["updated"], done["unchanged"], done["failed"]) == (250, 0, 0, 0)
    devices = _devices(api, here)
    assert len(devices) == 250
    (one,) = [device for device in devices.values() if device["name"] == "Store 7"]
    assert one["metadata"] == {"floor": 7, "note": "=1+1", "externalId": "x7"}
    assert one["networkAliases"] == {here.network: {"serial": "SN-7"}}
    assert (one["tags"], one["purpose"], one["systemId"]) == (["new", "warm"], "device", here.system)
    alias = api.documents.document(f"aliases/{ids.alias_id(here.network, 'serial', 'SN-7')}").get()
    assert devices[alias.get("deviceId")] == one


async def test_the_same_again_changes_nothing_and_changed_rows_are_updated(api: Api) -> None:
    here = site(api)
    async with api.client(api.admin()) as http:
        await _import(http, here, _table(here, 20))
        before = _devices(api, here)
        again = (await _import(http, here, _table(here, 20))).json()
        assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 20)
        assert _devices(api, here) == before
        more = _table(here, 22).replace("Store 3,", "Colder,").replace("SN-4,", "SN-44,")
        changed = (await _import(http, here, more)).json()
        assert (changed["created"], changed["updated"], changed["unchanged"]) == (2, 2, 18)
    after = _devices(api, here)
    assert {key for key in before if before[key] != after[key]} == {
        key for key, device in before.items() if device["metadata"]["externalId"] in ("x3", "x4")
    }
    assert not api.documents.document(f"aliases/{ids.alias_id(here.network, 'serial', 'SN-4')}").get().exists


async def test_two_imports_of_one_table_at_once_make_each_device_once(api: Api) -> None:
    here = site(api)
    table = _table(here, 40)
    async with api.client(api.admin()) as http:
        reports = await asyncio.gather(*(_import(http, here, table, partial=True) for _ in range(3)))
        assert sum(report.json()["created"] for report in reports) == 40
        again = (await _import(http, here, table)).json()
        assert again["unchanged"] == 40
    assert len(_devices(api, here)) == 40


async def test_wrong_rows_are_all_named_and_nothing_is_written(api: Api) -> None:
    here, there = site(api), site(api)
    wrong = [
        ("s1", "a", "noSuch", "northWing", here.network, "A1", "blueprint.notFound"),
        ("s2", "b", "coldStore", "noSuch", here.network, "A2", "system.notFound"),
        ("s3", "", "coldStore", "northWing", here.network, "A3", "csv.missing"),
        ("s4", "d", "coldStore", "northWing", there.network, "A4", "device.unknownNetwork"),
        ("s5", "e", "coldStore", "northWing", here.network, "A6", ""),
        ("s6", "f", "coldStore", "northWing", here.network, "A6", "csv.twice"),
        ("s5", "g", "coldStore", "northWing", here.network, "A7", "csv.twice"),
        ("s8", "h" * 300, "coldStore", "northWing", here.network, "A8", "device.invalid"),
    ]
    head = f"externalId,name,blueprint,system,network,alias.{here.network}.serial"
    table = "\n".join([head, *(",".join(row[:-1]) for row in wrong)])
    async with api.client(api.admin()) as http:
        refused = await _import(http, here, table)
        assert refused.status_code == 422
        body = refused.json()
        assert (body["error"], body["status"]) == ("import.rows", 422)
        assert body["requestId"]
        found = {error["row"]: error["error"] for error in body["report"]["errors"]}
        assert found == {number: row[-1] for number, row in enumerate(wrong, 2) if row[-1]}
        assert {e["row"]: e.get("column") for e in body["report"]["errors"]}[2] == "blueprint"
        assert _devices(api, here) == {}
        part = await _import(http, here, table, partial=True)
        assert part.status_code == 200
        assert (part.json()["created"], part.json()["failed"]) == (1, 7)
    assert [device["name"] for device in _devices(api, here).values()] == ["e"]


async def test_at_most_a_hundred_errors_are_listed_and_all_are_counted(api: Api) -> None:
    here = site(api)
    table = "name,blueprint,system\n" + "a,none,northWing\n" * 150
    async with api.client(api.admin()) as http:
        report = (await _import(http, here, table, dryRun=True)).json()
    assert (report["failed"], len(report["errors"])) == (150, 100)
    assert report["errors"][0]["row"] == 2


async def test_parents_in_the_table_come_first_wherever_they_stand(api: Api) -> None:
    here = site(api)
    table = (
        "externalId,name,blueprint,system,parent\n"
        "leaf,Leaf,coldStore,northWing,twig\n"
        "twig,Twig,coldStore,northWing,root\n"
        "root,Root,coldStore,northWing,\n"
    )
    circle = "externalId,name,blueprint,system,parent\na,A,coldStore,northWing,b\nb,B,coldStore,northWing,a\n"
    async with api.client(api.admin()) as http:
        done = await _import(http, here, table)
        assert done.json().get("created") == 3, done.text
        again = (await _import(http, here, table)).json()
        assert again["unchanged"] == 3
        round_ = (await _import(http, here, circle, dryRun=True)).json()
        assert {error["error"] for error in round_["errors"]} == {"csv.circle"}
    by_name = {device["name"]: (key, device) for key, device in _devices(api, here).items()}
    assert by_name["Leaf"][1]["parentDeviceId"] == by_name["Twig"][0]
    assert by_name["Twig"][1]["parentDeviceId"] == by_name["Root"][0]


async def test_where_rows_would_stand_is_checked_before_any_is_written(api: Api) -> None:
    here = site(api)
    head = "externalId,name,blueprint,system,parent"
    chain = [f"c{n},n,coldStore,northWing,{f'c{n - 1}' if n else ''}" for n in range(18)]
    async with api.client(api.admin()) as http:
        deep = await _import(http, here, "\n".join([head, *reversed(chain)]))
        assert (deep.status_code, deep.json()["report"]["failed"]) == (422, 1)
        assert deep.json()["report"]["errors"][0]["error"] == "device.tooDeep"
        assert _devices(api, here) == {}
        assert (await _import(http, here, "\n".join([head, *chain[:17]]))).json()["created"] == 17
        ids_ = {
            device["metadata"]["externalId"]: device_id for device_id, device in _devices(api, here).items()
        }
        # Under one that is there, and has sixteen above it.
        deeper = (await _import(http, here, f"{head}\nd,n,coldStore,northWing,{ids_['c16']}")).json()
        assert deeper["report"]["errors"][0]["error"] == "device.tooDeep"
        one, two = ids_["c16"], ids_["c15"]
        circle = (await _import(http, here, f"id,parent\n{two},{one}\n")).json()
        assert [error["error"] for error in circle["report"]["errors"]] == ["device.circle"]
        loose = "\n".join([head, "x,n,coldStore,northWing,", "y,n,coldStore,northWing,"])
        assert (await _import(http, here, loose)).json()["created"] == 2
        by_name = {d["metadata"]["externalId"]: device_id for device_id, d in _devices(api, here).items()}
        x, y = by_name["x"], by_name["y"]
        both = (await _import(http, here, f"id,parent\n{x},{y}\n{y},{x}\n")).json()
        assert [(e["row"], e["error"]) for e in both["report"]["errors"]] == [(3, "device.circle")]
        assert "parentDeviceId" not in _devices(api, here)[x]
    limited = api.user(here.project, "device.update", on=("device", x))
    async with api.client(limited) as http:
        denied = (await _import(http, here, f"id,parent\n{x},{y}\n")).json()
        assert [error["error"] for error in denied["report"]["errors"]] == ["permission.denied"]


async def test_a_renamed_row_is_the_parent_of_others(api: Api) -> None:
    here = site(api)
    head = "externalId,name,blueprint,system,parent"
    async with api.client(api.admin()) as http:
        await _import(http, here, f"{head}\nold,n,coldStore,northWing,")
        (device,) = _devices(api, here)
        table = f"id,{head}\n,child,n,coldStore,northWing,new\n{device},new,,,,"
        report = (await _import(http, here, table)).json()
        assert (report["created"], report["updated"]) == (1, 1), report
        found = {d["metadata"]["externalId"]: d for d in _devices(api, here).values()}
        assert found["child"]["parentDeviceId"] == device
        # The old one is free again.
        assert (await _import(http, here, f"{head}\nold,n,coldStore,northWing,")).json()["created"] == 1


async def test_no_two_devices_share_an_external_id_however_they_came(api: Api) -> None:
    here = site(api)
    body = {"name": "n", "blueprintId": here.blueprint, "metadata": {"externalId": "e-1"}}
    path = f"/v1/system/{here.system}/devices"
    async with api.client(api.admin()) as http:
        both = [await http.post(path, json=body, params=here.query) for _ in range(2)]
        assert [answer.status_code for answer in both] == [201, 409]
        assert both[1].json()["error"] == "device.externalIdTaken"
        again = await _import(http, here, "externalId,name,blueprint,system\ne-1,m,coldStore,northWing")
        assert (again.json()["created"], again.json()["updated"]) == (0, 1)
        device = both[0].json()["id"]
        await http.patch(f"/v1/device/{device}", params=here.query, json={"metadata/externalId": "e-2"})
        assert (await http.post(path, json=body, params=here.query)).status_code == 201
        taken = await http.patch(
            f"/v1/device/{device}", params=here.query, json={"metadata/externalId": "e-1"}
        )
        assert (taken.status_code, taken.json()["error"]) == (409, "device.externalIdTaken")


async def test_a_row_that_loses_a_race_is_told_with_what_was_written(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = site(api)
    chunks = csv_import._chunks
    lost: list[str] = []

    def meanwhile(steps: Sequence[Step]) -> list[list[Step]]:
        """Between check and commit, somebody takes the second row's outside name."""
        lost.append(steps[1].device_id)
        alias = ids.alias_id(here.network, "serial", "SN-1")
        api.documents.document(f"aliases/{alias}").set({"projectId": here.project, "deviceId": "other"})
        return chunks(steps)

    monkeypatch.setattr(csv_import, "_chunks", meanwhile)
    async with api.client(api.admin()) as http:
        answer = await _import(http, here, _table(here, 3))
    assert answer.status_code == 200
    report = answer.json()
    assert (report["created"], report["failed"]) == (2, 1)
    assert [(e["row"], e["error"]) for e in report["errors"]] == [(3, "device.aliasTaken")]
    assert len(_devices(api, here)) == 2
    # The history of definitions knows of those that are there, and of no other.
    latest = {device: latest_definition(api, device) for device in (*_devices(api, here), *lost)}
    assert {device for device, row in latest.items() if row.get("deleted")} == set(lost)


async def test_progress_comes_as_lines(api: Api) -> None:
    here = site(api)
    async with api.client(api.admin()) as http:
        path = f"/v1/project/{here.project}/devices/import"
        headers = CSV | {"Accept": "application/x-ndjson"}
        answer = await http.post(path, content=_table(here, 210), headers=headers)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert lines[-1]["report"]["created"] == 210
        assert lines[0]["progress"] == {"checked": 200, "written": 0, "rows": 210}
        assert lines[-2]["progress"]["written"] == 210
        wrong = await http.post(path, content="name,blueprint,system\na,b,c", headers=headers)
        last = json.loads(wrong.text.splitlines()[-1])
        assert last["error"]["error"] == "import.rows"
        assert last["error"]["report"]["failed"] == 1


async def test_an_import_that_breaks_off_is_finished_by_sending_it_again(api: Api) -> None:
    here = site(api)
    table = _table(here, 120)
    async with api.client(api.admin()) as http:
        _faults(api, {"method": "Commit", "error_rate": 1.0})
        try:
            broken = await _import(http, here, table)
            path = f"/v1/project/{here.project}/devices/import"
            headers = CSV | {"Accept": "application/x-ndjson"}
            streamed = await http.post(path, content=table, headers=headers)
        finally:
            _faults(api)
        assert (broken.status_code, broken.json()["error"]) == (503, "service.unavailable")
        assert json.loads(streamed.text.splitlines()[-1])["error"]["error"] == "service.unavailable"
        _faults(api, {"method": "Commit", "drop_answer_rate": 0.5})
        try:
            lossy = await _import(http, here, table)
        finally:
            _faults(api)
        assert lossy.status_code in (200, 503), lossy.text
        done = (await _import(http, here, table)).json()
        assert done["created"] + done["unchanged"] == 120
    assert len(_devices(api, here)) == 120


def _faults(api: Api, *rules: dict[str, Any]) -> None:
    body = {"rules": list(rules), "seed": 7}
    httpx.post(f"{api.address.http}/faults", json=body).raise_for_status()


async def test_an_export_is_imported_without_a_change(api: Api) -> None:
    here = site(api)
    table = _table(here, 5, name="=cmd()") + "\r\n"
    async with api.client(api.admin()) as http:
        report = (await _import(http, here, table)).json()
        assert report["created"] == 5, report
        before = _devices(api, here)
        api.documents.document(f"projects/{here.project}/devices/{next(iter(before))}").update(
            {"metadata": {**_first(before)["metadata"], "list": [1, "a"], "text": "5", "-odd key ": True}}
        )
        before = _devices(api, here)
        exported = await http.get(f"/v1/project/{here.project}/devices/export")
        assert exported.headers["content-type"].startswith("text/csv")
        head, *rows = exported.text.splitlines()
        assert f"alias.{here.network}.serial" in head
        assert len(rows) == 5
        assert all("'=cmd()" in row for row in rows)
        again = await _import(http, here, exported.text)
        assert again.json().get("unchanged") == 5, again.text
        assert _devices(api, here) == before
        none = await http.get(f"/v1/project/{here.project}/devices/export", params={"systemId": "x"})
        assert len(none.text.splitlines()) == 1


async def test_an_export_of_many_reads_a_page_at_a_time(api: Api) -> None:
    here = site(api)
    batch = api.documents.batch()
    for number in range(450):
        reference = api.documents.document(f"projects/{here.project}/devices/d{number:03d}")
        batch.set(reference, {"name": f"n{number}", "systemId": here.system, "blueprintId": here.blueprint})
    batch.commit()
    async with api.client(api.admin()) as http:
        exported = await http.get(f"/v1/project/{here.project}/devices/export")
    assert len(exported.text.splitlines()) == 451


async def test_who_may_import_and_export_and_what_of(api: Api) -> None:
    here, there = site(api), site(api)
    table = _table(here, 2)
    async with api.client(api.user(here.project, "device.create", on=("system", "south"))) as http:
        refused = (await _import(http, here, table)).json()
        assert {error["error"] for error in refused["report"]["errors"]} == {"permission.denied"}
    async with api.client(api.user(here.project, "device.create", on=("system", here.system))) as http:
        assert (await _import(http, here, table)).json()["created"] == 2
        assert (await _import(http, there, table)).status_code == 403
        export = await http.get(f"/v1/project/{here.project}/devices/export")
        assert export.status_code == 403
        changed = (await _import(http, here, _table(here, 2, name="new"))).json()
        assert {error["error"] for error in changed["report"]["errors"]} == {"permission.denied"}
    async with api.client(api.user(here.project, "device.list", on=("system", "south"))) as http:
        export = await http.get(f"/v1/project/{here.project}/devices/export")
        assert len(export.text.splitlines()) == 1
    async with api.client(api.admin()) as http:
        strange = _table(here, 2).replace("x0,", "y0,").replace("x1,", "y1,")
        taken = (await _import(http, there, strange)).json()
        assert {error["error"] for error in taken["report"]["errors"]} == {"device.unknownNetwork"}
        assert not any(key in json.dumps(taken) for key in _devices(api, here))


async def test_what_is_no_csv_is_refused(api: Api) -> None:
    here = site(api)
    async with api.client(api.admin()) as http:
        path = f"/v1/project/{here.project}/devices/import"
        assert (await http.post(path, json={"a": 1})).json()["error"] == "csv.contentType"
        assert (await http.post(path, content=b"\xff", headers=CSV)).json()["error"] == "csv.encoding"
        assert (await _import(http, here, "colour\nred")).json()["error"] == "csv.column"
        assert (await _import(http, here, "name")).json()["rows"] == 0
        big = await http.post(path, content=b"x" * 10_000_001, headers=CSV)
        assert big.status_code == 413
        missing = await http.post("/v1/project/nowhere/devices/import", content=b"name", headers=CSV)
        assert missing.status_code == 404
