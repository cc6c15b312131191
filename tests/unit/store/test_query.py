"""Cursors: they hold where a page ends, whatever the field is called, and lead to documents alone."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from shared.errors import ApiError
from shared.store import query as queries
from shared.store.query import Query, field_path


@pytest.mark.parametrize("key", ["plain", "a.b", "c-d", "`", "\\", "a\\`b.", ".", "1"])
def test_a_cursor_holds_the_value_that_its_field_has(key: str) -> None:
    query = Query(order=field_path("metadata", key))
    text = queries.cursor(query, "d1", {"metadata": {key: 5}})
    assert queries.position(msgspec.structs.replace(query, after=text)) == [5, "d1"]


@pytest.mark.parametrize("last", ["", ".", "..", "__a__", "a/b", "____", None, 5])
def test_a_cursor_to_what_can_be_no_document_is_refused(last: Any) -> None:
    query = Query()
    digest, _ = msgspec.json.decode(_raw(queries.cursor(query, "d1", {})))
    crafted = base64.urlsafe_b64encode(msgspec.json.encode([digest, [last]])).decode().rstrip("=")
    with pytest.raises(ApiError) as refused:
        queries.position(msgspec.structs.replace(query, after=crafted))
    assert (refused.value.status, refused.value.error) == (400, "cursor.invalid")


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
