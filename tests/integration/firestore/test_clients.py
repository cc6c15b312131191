"""The official clients' larger helpers: batches in async gapic, bulk writer, recursive delete, sentinels."""

from __future__ import annotations

from google.cloud import firestore

from tests.integration.firestore.api import Api


async def test_the_async_gapic_client_writes_and_reads_in_batches(api: Api) -> None:
    client = api.async_gapic()
    writes = [api.set(f"c/d{number:03}", {"n": number}) for number in range(300)]
    answer = await client.batch_write(
        request={"database": api.database, "writes": writes}, metadata=api.metadata
    )
    assert [status.code for status in answer.status] == [0] * 300
    wanted = [api.name(f"c/d{number:03}") for number in range(301)]
    stream = await client.batch_get_documents(
        request={"database": api.database, "documents": wanted}, metadata=api.metadata
    )
    found = [item async for item in stream]
    assert {item.found.name: item.found.fields["n"].integer_value for item in found if item.found.name} == {
        name: number for number, name in enumerate(wanted[:300])
    }
    assert [item.missing for item in found if item.missing] == [wanted[300]]
    assert len({item.read_time for item in found}) == 1
    await client.transport.close()


def test_the_official_clients_bulk_writer_and_recursive_delete(api: Api) -> None:
    writer = api.client.bulk_writer()
    for number in range(45):
        writer.set(api.client.document(f"c/d{number:02}"), {"n": number})
        writer.set(api.client.document(f"c/d{number:02}/sub/s"), {"n": number})
    writer.close()
    assert len(list(api.client.collection("c").stream())) == 45
    assert len(list(api.client.collection_group("sub").stream())) == 45
    api.client.recursive_delete(api.client.document("c/d00"))
    assert api.read("c/d00/sub/s") is None
    api.client.recursive_delete(api.client.collection("c"))
    assert list(api.client.collections()) == []


def test_the_official_clients_sentinels(api: Api) -> None:
    reference = api.client.document("c/a")
    reference.set({"n": 1, "tags": ["p"], "old": 1, "m": {"k": 1, "l": 2}})
    reference.update(
        {
            "n": firestore.Increment(2),
            "tags": firestore.ArrayUnion(["q"]),
            "old": firestore.DELETE_FIELD,
            "m.k": firestore.DELETE_FIELD,
            "at": firestore.SERVER_TIMESTAMP,
        }
    )
    found = reference.get().to_dict()
    assert found is not None
    assert found.pop("at").tzinfo is not None
    assert found == {"n": 3, "tags": ["p", "q"], "m": {"l": 2}}
    reference.set({"m": {"z": 3}}, merge=True)
    merged = api.read("c/a")
    assert merged is not None
    assert merged["m"] == {"l": 2, "z": 3}
