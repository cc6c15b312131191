"""Where ours and Google's emulator are known to differ, and why. The one table of them.

``test_differences`` asks both and holds each to its column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.integration.firestore.api import Api, code_of, either, unary, value, where


@dataclass(frozen=True)
class Difference:
    """``ask`` gives a word: ``ours`` from ours, ``googles`` from Google's emulator."""

    about: str
    ours: str
    googles: str
    reason: str
    ask: Callable[[Api], str]


def _batch_of_501(api: Api) -> str:
    return code_of(lambda: api.batch_write(*(api.set(f"c/{number}") for number in range(501))))


def _foreign_database(api: Api) -> str:
    name = f"projects/{api.project}/databases/other/documents/c/a"
    return code_of(lambda: api.commit({"update": {"name": name}}))


def _array_in_array(api: Api) -> str:
    step = {"field_path": "x", "append_missing_elements": {"values": [value([1])]}}
    return code_of(lambda: api.commit(api.transform("c/a", step)))


def _transform_of_the_name(api: Api) -> str:
    return code_of(
        lambda: api.commit(api.transform("c/a", {"field_path": "__name__", "increment": value(1)}))
    )


def _six_aggregations(api: Api) -> str:
    structured = {
        "structured_query": {"from_": [{"collection_id": "c"}]},
        "aggregations": [{"alias": f"a{number}", "count": {}} for number in range(6)],
    }
    return code_of(
        lambda: api.call("run_aggregation_query", parent=api.root, structured_aggregation_query=structured)
    )


def _read_time(api: Api) -> str:
    now = api.commit(api.set("c/a")).commit_time
    return code_of(lambda: api.get("c/a", read_time=now))


def _optimistic(api: Api) -> str:
    return code_of(lambda: api.begin(read_write={"concurrency_mode": "OPTIMISTIC"}))


def _explain(api: Api) -> str:
    query = {"from_": [{"collection_id": "c"}]}
    return code_of(lambda: api.query(query, explain_options={"analyze": True}))


def _pages_in_an_order(api: Api) -> str:
    api.commit(*(api.set(f"c/{key}", {"x": 1}) for key in "abc"))
    request = {"parent": api.root, "collection_id": "c", "order_by": "x", "page_size": 1}
    return code_of(lambda: list(api.call("list_documents", **request)))


def _wrong_page_token(api: Api) -> str:
    return code_of(lambda: api.call("list_collection_ids", parent=api.root, page_token="x"))


def _long_id_of_a_read(api: Api) -> str:
    return code_of(lambda: api.get("c/" + "a" * 1501))


def _administrator(api: Api) -> str:
    api.metadata = [item for item in api.metadata if item[0] != "authorization"]
    return code_of(lambda: api.batch_write(api.set("c/a")))


def _query_lock(api: Api) -> str:
    transaction = api.begin()
    ones = {"from_": [{"collection_id": "c"}], "where": where("x", "EQUAL", 1)}
    api.query(ones, transaction=transaction)
    return code_of(lambda: api.commit(api.set("c/new", {"x": 2})))


def _never_holds(api: Api) -> str:
    api.commit(api.set("c/a", {"b": 1}))
    filters = either(where("a", "LESS_THAN", None), unary("b", "IS_NOT_NULL"))
    return str(len(api.query({"from_": [{"collection_id": "c"}], "where": filters})))


DIFFERENCES = [
    Difference(
        "more than 500 writes in a BatchWrite", "INVALID_ARGUMENT", "OK",
        "The service documents a limit of 500, which its emulator does not hold.", _batch_of_501,
    ),
    Difference(
        "a write to a document of another database than the call's", "INVALID_ARGUMENT", "OK",
        "The service takes a call for one database; Google's emulator goes by the document's name.",
        _foreign_database,
    ),
    Difference(
        "an array appended to an array", "INVALID_ARGUMENT", "OK",
        "The service stores no array in an array; Google's emulator checks documents but not transforms.",
        _array_in_array,
    ),
    Difference(
        "a transform of __name__", "INVALID_ARGUMENT", "OK",
        "Google's emulator makes a field of its own with the name __key__.", _transform_of_the_name,
    ),
    Difference(
        "more than five aggregations", "INVALID_ARGUMENT", "UNKNOWN",
        "Google's emulator fails inside; five is the documented limit.", _six_aggregations,
    ),
    Difference(
        "a page of ListDocuments in an order", "OK", "UNKNOWN",
        "Google's emulator fails inside when it makes the page's token.", _pages_in_an_order,
    ),
    Difference(
        "a page token of ListCollectionIds that is none", "INVALID_ARGUMENT", "UNKNOWN",
        "Google's emulator fails inside.", _wrong_page_token,
    ),
    Difference(
        "a read of an id that is too long", "INVALID_ARGUMENT", "NOT_FOUND",
        "Google's emulator checks the length of ids in writes alone.", _long_id_of_a_read,
    ),
    Difference(
        "a read at a time in the past", "UNIMPLEMENTED", "OK",
        "Ours keeps no versions. Read-only transactions do see the past.", _read_time,
    ),
    Difference(
        "optimistic concurrency", "UNIMPLEMENTED", "OK",
        "Google's emulator takes the option and locks all the same; ours says what it does.", _optimistic,
    ),
    Difference(
        "explain_options", "UNIMPLEMENTED", "OK",
        "Google's emulator takes the option and explains nothing.", _explain,
    ),
    Difference(
        "a call without the token of an administrator", "OK", "PERMISSION_DENIED",
        "Ours has no security rules, and everybody is an administrator.", _administrator,
    ),
    Difference(
        "a write that a locked query would not match", "OK", "ABORTED",
        "The service locks the index entries that a query scans; Google's emulator the whole collection.",
        _query_lock,
    ),
    Difference(
        "documents found by OR with a condition that can never hold", "0", "1",
        "The order by each field of an inequality is implied, so that a document must have them all; "
        "Google's emulator drops a comparison with null or NaN before it comes to that.",
        _never_holds,
    ),
]  # fmt: skip
