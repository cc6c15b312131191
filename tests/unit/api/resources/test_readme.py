"""The table of kinds in the README says what the code does."""

from __future__ import annotations

import re

import pytest

from local.processes import ROOT
from tests.unit.api.resources.kinds import ROWS, Row

README = (ROOT / "functions/api/resources/README.md").read_text()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_kind_and_field_is_described(row: Row) -> None:
    (line,) = re.findall(rf"^\| {row.name} \| .*$", README.split("## What each refuses")[0], re.MULTILINE)
    words = set(re.findall(r"\w+", line))
    assert {*row.body, row.plural} - words <= {"name", "tags"}, line
    filters = line.split("|")[6]
    assert set(re.findall(r"\w+", filters)) >= set(row.filters) - {"name", "alias", "tags"}, line
