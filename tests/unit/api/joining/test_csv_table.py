"""Tables as text: what is read, what is refused, and that cells come back as they were."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api.joining import csv_columns, csv_table
from shared.errors import ApiError

_texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


def _round(cells: list[str]) -> dict[str, str]:
    columns = [f"c{number}" for number in range(len(cells))]
    (row,) = csv_table.read(csv_table.write([columns, ["x", *cells[1:]] if not any(cells) else cells])).rows
    return row.cells


@given(st.lists(_texts, min_size=1, max_size=5).filter(any))
def test_cells_come_back_and_no_cell_is_a_formula(texts: list[str]) -> None:
    cells = [csv_table.guarded(text) for text in texts]
    assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r") for cell in cells)
    read = _round(cells)
    assert [read.get(f"c{number}", "") for number in range(len(texts))] == texts


@given(_values.filter(lambda value: value is not None))
def test_values_come_back_with_their_types(value: Any) -> None:
    read = _round([csv_table.value_cell(value)])
    found = csv_table.value_of(read["c0"])
    assert found == value
    assert type(found) is type(value)


@given(
    st.fixed_dictionaries(
        {
            "name": _texts.filter(bool),
            "tags": st.lists(_texts.filter(bool), max_size=4),
            "metadata": st.dictionaries(
                _texts.filter(bool), _values.filter(lambda v: v is not None), max_size=4
            ),
            "networkAliases": st.dictionaries(
                st.sampled_from(["lora", "sig-fox"]),
                st.dictionaries(_texts.filter(bool), _texts.filter(bool), min_size=1, max_size=2),
                max_size=2,
            ),
        }
    )
)
def test_a_device_comes_back_from_its_cells(fields: dict[str, Any]) -> None:
    columns = [*csv_columns.FIXED, "alias.lora.serial", "metadata.floor", *csv_columns.MORE]
    cells = csv_columns.cells("d1", fields, "coldStore", "north", columns)
    (row,) = csv_table.read(csv_table.write([columns, cells])).rows
    said = csv_columns.said(row)
    external = fields["metadata"].get("externalId")
    assert said.fields["name"] == fields["name"]
    assert said.fields.get("tags", []) == fields["tags"]
    assert said.metadata == fields["metadata"] or external == ""
    assert said.aliases == fields["networkAliases"]
    assert (said.of("id"), said.of("blueprint"), said.of("system")) == ("d1", "coldStore", "north")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "csv.noHeader"),
        (b"\n\n", "csv.noHeader"),
        (b"name\n\xff\xfe", "csv.encoding"),
        (b'name\n"open', "csv.syntax"),
        (b'name\n"a"b', "csv.syntax"),
        (b"name,name\na,b", "csv.column"),
        (b"name\n" + b"x" * 200_000, "csv.syntax"),
        (b"name\n" + b"x\n" * 10_001, "csv.tooManyRows"),
        (",".join(f"metadata.m{n}" for n in range(600)).encode(), "csv.tooManyColumns"),
    ],
)
def test_what_is_no_table_is_refused_by_name(body: bytes, error: str) -> None:
    with pytest.raises(ApiError) as caught:
        csv_table.read(body)
    assert (caught.value.status, caught.value.error) == (400, error)


def test_rows_are_numbered_as_spreadsheets_do_and_empty_ones_left_out() -> None:
    table = csv_table.read("\ufeffname;tags\n\na;1\n;\nb;2;3\n".encode())
    assert table.columns == ["name", "tags"]
    assert [(row.number, row.cells) for row in table.rows] == [(3, {"name": "a", "tags": "1"}), (5, {})]
    assert "3 cells" in table.rows[1].problem


def test_unknown_columns_are_all_named() -> None:
    with pytest.raises(ApiError) as caught:
        csv_columns.check(["name", "colour", "alias.lora", "metadata.", "metadata.x", "alias.lora.a.b"])
    assert caught.value.error == "csv.column"
    assert all(name in caught.value.message for name in ("colour", "alias.lora", "metadata."))


@pytest.mark.parametrize(
    ("column", "cell"),
    [("simulated", "maybe"), ("tags", "[1"), ("metadata", "[]"), ("aliases", '{"lora": {"a": 1}}')],
)
def test_cells_that_cannot_be_read_name_their_column(column: str, cell: str) -> None:
    with pytest.raises(csv_columns.RowProblem) as caught:
        csv_columns.said(csv_table.Row(2, {column: cell}))
    assert caught.value.column == column
