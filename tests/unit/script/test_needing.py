"""What an entry point needs: how it is written, when it is met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fulcrum.script import loading, wire
from fulcrum.script.needing import NeedsError, parse
from tests.unit.script.support import code, event, run


@pytest.mark.parametrize(
    "written",
    [
        "@needs('deviceData', 'cache', params=['limit'])\ndef run(message, context): pass",
        "@needs('device_data', cache=True, params=['limit'])\ndef run(message, context): pass",
        "@needs(deviceData=True, cache=True, system=False, params=['limit'])\nasync def run(a, b): pass",
        "def run(message, context): pass\nrun.needs = {'deviceData': True, 'cache': [], 'params': ['limit']}",
        "def run(message, context): pass\nneeds = {'run': dict(device_data=True, cache=[], params='limit')}",
    ],
)
def test_forms_of_needs_mean_the_same(tmp_path: Path, written: str) -> None:
    made = code(tmp_path, f"from fulcrum.script import needs\n{written}")
    needs: dict[str, bool | list[str]] = {"deviceData": True, "cache": True, "params": ["limit"]}
    assert made.entries == {"run": wire.Entry(name="run", needs=needs)}


@pytest.mark.parametrize(
    "bad", [{"devices": True}, {"cache": 5}, {"cache": [5]}, 7, ["Cache"], {"cache": {}}]
)
def test_what_means_nothing_is_refused(bad: Any) -> None:
    with pytest.raises(NeedsError):
        parse(bad)


def test_wrong_needs_are_named_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(loading.LoadError, match=r"main.py:3: needs of 'run': nothing named 'devices'"):
        code(tmp_path, "\n\ndef run(message, context): pass\nrun.needs = ['devices']")
    with pytest.raises(loading.LoadError, match=r"'walk', which is no entry point"):
        code(tmp_path, "def run(message, context): pass\nneeds = {'walk': {'cache': True}}")


DEVICE = {"id": "d1", "name": "Pump", "blueprintId": "b1", "systemId": "s1", "metadata": {"owner": "me"}}


@pytest.mark.parametrize(
    ("needs", "given", "missing"),
    [
        ({"params": ["limit"]}, {}, ["params.limit"]),
        ({"params": ["limit"]}, {"params": {"limit": None}}, ["params.limit"]),
        ({"params": ["limit", "a/b"]}, {"params": {"limit": 0, "a": {"b": 1}}}, []),
        ({"deviceData": True}, {}, []),
        ({"deviceData": ["a/b", "c"]}, {}, ["deviceData.a/b", "deviceData.c"]),
        (
            {"deviceData": True, "cache": True, "device": True},
            {"device": None},
            ["deviceData", "cache", "device"],
        ),
        ({"deviceData": True}, {"device": "other"}, ["deviceData"]),
        ({"device": ["metadata/owner", "desc"]}, {}, ["device.desc"]),
        ({"system": True, "blueprint": True}, {}, ["blueprint"]),
        ({"project": True, "scriptCache": True}, {}, ["project"]),
        ({"cache": ["last"], "scriptCache": ["all"]}, {}, ["cache.last", "scriptCache.all"]),
    ],
)
def test_unmet_needs_are_told_and_the_script_is_not_run(
    tmp_path: Path, needs: dict[str, Any], given: dict[str, Any], missing: list[str]
) -> None:
    main = f"def run(message, context):\n    return False\nrun.needs = {needs!r}"
    devices = {"d1": wire.Device(device=DEVICE)}
    (outcome,) = run(tmp_path, main, event(1, **given), devices=devices, systems={"s1": {"id": "s1"}})
    if missing:
        assert outcome == wire.Outcome(key="key1", status="unmet", missing=missing)
    else:
        assert (outcome.status, outcome.result) == ("done", False)


def test_data_from_an_earlier_event_meets_a_need(tmp_path: Path) -> None:
    main = """
        def run(message, context):
            context.log(context.device_data)
        run.needs = {"deviceData": ["a/b"]}
    """
    first, second = run(tmp_path, main, event(1, data={"a/b": 1}), event(2, data={"a/b": 2}))
    assert (first.status, second.status) == ("unmet", "done")
    assert second.logs[0].text == "{'a': {'b': 1}}"


@pytest.mark.parametrize(
    ("reads", "name"),
    [
        ("context.device_data", "deviceData"),
        ("context.cache", "cache"),
        ("context.set_cache({})", "cache"),
        ("context.script_cache", "scriptCache"),
        ("context.set_script_cache({})", "scriptCache"),
        ("context.system", "system"),
        ("context.device", "device"),
        ("context.blueprint", "blueprint"),
        ("context.project", "project"),
    ],
)
def test_what_is_not_named_is_not_given(tmp_path: Path, reads: str, name: str) -> None:
    (outcome,) = run(tmp_path, f"def run(message, context):\n    {reads}")
    assert outcome.failure is not None
    assert outcome.failure.type == "NotGiven"
    assert f"add {name!r} to the needs of 'run'" in outcome.failure.message
