"""Rows of definitions and of snapshots: what they hold, and that they fold back to what they were made of."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from fulcrum.core import fold
from shared import device_rows, history
from shared.errors import Rejected
from tests.support import random_fleet

FIELDS = {
    "name": "n",
    "blueprintId": "b",
    "systemId": "s",
    "networkId": "w",
    "version": 3,
    "created": 5,
    "lastModified": 7,
    "tags": [],
    "registers": b"secret",
    "data": {"t": 1},
    "parentDeviceId": None,
}


def test_a_definition_is_no_state_and_no_secret() -> None:
    row = device_rows.device_row("p", "d", FIELDS, 1_700_000_000_000)
    assert json.loads(row["data"]) == {
        "name": "n",
        "blueprintId": "b",
        "systemId": "s",
        "networkId": "w",
        "version": 3,
        "created": 5,
        "tags": [],
    }
    assert (row["kind"], row["system_id"], row["blueprint_id"], row["network_id"]) == (
        "device",
        "s",
        "b",
        "w",
    )
    assert history.folded(row) is None
    assert history.encode(row)


def test_a_deleted_device_says_so() -> None:
    row = device_rows.device_row("p", "d", FIELDS, 1_700_000_000_000, deleted=True)
    assert json.loads(row["data"])["deleted"] is True
    assert row["content_hash"] != device_rows.device_row("p", "d", FIELDS, 1)["content_hash"]


@pytest.mark.parametrize("version", [None, "3"])
def test_a_definition_needs_its_version(version: Any) -> None:
    with pytest.raises(Rejected, match="version"):
        device_rows.device_row("p", "d", FIELDS | {"version": version}, 1)


@pytest.mark.parametrize("seed", range(200))
def test_a_snapshot_folds_back_to_the_registers_that_it_was_made_of(seed: int) -> None:
    random = Random(seed)
    registers: dict[str, fold.Registers] = {}
    for row in random_fleet.fleet(random, "p", 1_700_000_000_000, 1):
        if (folded := history.folded(row)) is not None:
            fold.fold(registers.setdefault("d", {}), [folded])
    held = registers.get("d", {})
    rows = list(device_rows.snapshot_rows("p", 1_700_000_000_009, "d", FIELDS, held))
    back: fold.Registers = {}
    for row in rows:
        if row["kind"] == "state":
            event = {**row, "kind": "data", "historical": False}
            folded = history.folded(event)
            assert folded is not None
            fold.fold(back, [folded])
    assert back == held
    assert [row["kind"] for row in rows].count("device") == 1
    assert device_rows.encode(rows)


def test_a_snapshot_does_not_lie_about_its_instant() -> None:
    registers: fold.Registers = {"a": ((10, "e"), 1)}
    assert list(device_rows.snapshot_rows("p", 10, "d", FIELDS, registers))
    with pytest.raises(Rejected, match="after 9"):
        list(device_rows.snapshot_rows("p", 9, "d", FIELDS, registers))
