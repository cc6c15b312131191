"""ListDocuments, ListCollectionIds, BatchGetDocuments and masks of reads."""

from __future__ import annotations

import pytest

from tests.integration.firestore.api import Api, code_of


@pytest.fixture
def tree(api: Api) -> Api:
    paths = ["t/a", "t/b", "t/d", "t/a/sub/s1", "t/gap/sub/s1", "t/gap/other/o/deep/z", "u/a"]
    api.commit(*(api.set(path, {"x": len(path), "m": {"k": 1, "l": 2}}) for path in paths))
    return api


def test_collections(tree: Api) -> None:
    assert [item.id for item in tree.client.collections()] == ["t", "u"]
    assert [item.id for item in tree.client.document("t/gap").collections()] == ["other", "sub"]
    assert list(tree.client.document("t/none").collections()) == []
    assert list(tree.call("list_collection_ids", parent=tree.root, page_size=1)) == ["t", "u"]


def test_documents_with_those_that_are_missing(tree: Api) -> None:
    assert [item.id for item in tree.client.collection("t").list_documents()] == ["a", "b", "d", "gap"]
    pages = tree.call("list_documents", parent=tree.root, collection_id="t", page_size=2).pages
    assert [[item.name.rsplit("/", 1)[1] for item in page.documents] for page in pages] == [["a", "b"], ["d"]]
    shown = tree.call("list_documents", parent=tree.root, collection_id="t", show_missing=True, page_size=1)
    assert [(item.name.rsplit("/", 1)[1], bool(item.create_time)) for item in shown] == [
        ("a", True),
        ("b", True),
        ("d", True),
        ("gap", False),
    ]


def test_an_order_and_a_mask(tree: Api) -> None:
    tree.commit(tree.set("t/b", {"x": 99}))
    listed = tree.call(
        "list_documents",
        parent=tree.root,
        collection_id="t",
        order_by="x desc",
        mask={"field_paths": ["x"]},
    )
    assert [(item.name.rsplit("/", 1)[1], set(item.fields)) for item in listed] == [
        ("b", {"x"}),
        ("d", {"x"}),
        ("a", {"x"}),
    ]


def test_pages_in_an_order(ours: Api) -> None:
    ours.commit(*(ours.set(f"t/{key}", {"x": ord(key) % 3}) for key in "abcdefg"))
    listed = ours.call(
        "list_documents", parent=ours.root, collection_id="t", order_by="x desc, __name__", page_size=2
    )
    assert [item.name[-1] for item in listed] == list("beadgcf")


@pytest.mark.parametrize(
    "wrong",
    [
        {"order_by": "x down"},
        {"order_by": "x", "show_missing": True},
        {"page_size": -1},
        {"page_token": "zz"},
        {"parent": "foo"},
        {"collection_id": "__x__"},
    ],
)
def test_what_cannot_be_listed(tree: Api, wrong: dict[str, object]) -> None:
    request = {"parent": tree.root, "collection_id": "t", **wrong}
    assert code_of(lambda: tree.call("list_documents", **request)) == "INVALID_ARGUMENT"


def test_masks_and_repeats_of_reads(tree: Api) -> None:
    mask = {"field_paths": ["m.k", "nope"]}
    assert set(tree.get("t/a", mask=mask).fields) == {"m"}
    assert set(tree.get("t/a", mask=mask).fields["m"].map_value.fields) == {"k"}
    assert not tree.get("t/a", mask={}).fields
    wanted = [tree.name("t/a"), tree.name("t/none"), tree.name("t/a")]
    found = tree.call("batch_get_documents", database=tree.database, documents=wanted, mask=mask)
    assert sorted(item.found.name or item.missing for item in found) == sorted(wanted[:2])
    nothing = tree.call("batch_get_documents", database=tree.database, documents=[])
    assert nothing == []
    begun = tree.call(
        "batch_get_documents", database=tree.database, documents=wanted, new_transaction={"read_only": {}}
    )
    assert begun[0].transaction
    assert not begun[0].found.name
    tree.call("rollback", database=tree.database, transaction=begun[0].transaction)
