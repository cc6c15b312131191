"""What was acknowledged outlives a SIGKILL, once; writers and readers do not wait for each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.cloud import bigquery

from local.processes import Child, python, read_ready_line, spawn
from shared import clock
from tests.integration.bigquery.conftest import control, events_table, rest_client, write_client
from tests.integration.bigquery.proto import EVENT, EVENT_FIELDS, request
from tests.support.emulators import Address, embedded

ALL = "SELECT id, n FROM history.events WHERE time > '2000-01-01' ORDER BY id"


def started(data: Path, env: dict[str, str] | None = None) -> tuple[Child, Address]:
    child = spawn("bigquery", python("-m", "emulators.bigquery", "--data", str(data)), env)
    ready = read_ready_line(child)
    return child, Address("embedded", f"127.0.0.1:{ready['grpc']}", f"http://127.0.0.1:{ready['http']}")


def write(address: Address, *names: str) -> None:
    client, channel = write_client(address)
    rows = [EVENT(id=name, time=time.time_ns() // 1000, data='{"a": 1}', tags=["x"]) for name in names]
    (answer,) = client.append_rows(iter([request(rows, EVENT_FIELDS)]))
    channel.close()
    assert answer.error.code == 0


def read(address: Address) -> list[tuple[Any, ...]]:
    with rest_client(address) as client:
        return [tuple(row) for row in client.query_and_wait(ALL)]


def test_a_kill_loses_and_repeats_nothing(tmp_path: Path) -> None:
    child, address = started(tmp_path)
    try:
        with rest_client(address) as client:
            events_table(client)
            client.query_and_wait(
                "CREATE TABLE FUNCTION history.since(t TIMESTAMP) AS "
                "SELECT id FROM history.events WHERE time > t"
            )
        write(address, "a", "b")
        assert read(address) == [("a", None), ("b", None)]
        write(address, "c")
        with rest_client(address) as client:
            client.query_and_wait("UPDATE history.events SET n = 5 WHERE time > '2000-01-01' AND id = 'a'")
        write(address, "d")
    finally:
        child.kill()
    child, address = started(tmp_path)
    try:
        write(address, "e")
        expected = [("a", 5), ("b", None), ("c", None), ("d", None), ("e", None)]
        assert read(address) == expected
        with rest_client(address) as client:
            table = client.get_table("history.events")
            assert (table.require_partition_filter, table.clustering_fields) == (True, ["device"])
            found = client.query_and_wait("SELECT id FROM history.since('2000-01-01')")
            assert len(list(found)) == 5
        child.kill()
        child, address = started(tmp_path)
        assert read(address) == expected
        control(address, "POST", "/reset")
        child.kill()
        child, address = started(tmp_path)
        with rest_client(address) as client:
            assert list(client.list_datasets()) == []
    finally:
        child.kill()


def test_the_clock_of_the_stack_is_the_clock_of_sql(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock.create(file)
    clock.advance(file, 365 * 86_400)
    with (
        embedded("bigquery", env={"FULCRUM_CLOCK_FILE": str(file)}) as address,
        rest_client(address) as client,
    ):
        (row,) = client.query_and_wait("SELECT UNIX_SECONDS(CURRENT_TIMESTAMP()) AS s")
        assert abs(row.s - time.time() - 365 * 86_400) < 600


def test_four_writers_and_readers_at_once(client: bigquery.Client, emulator: Address) -> None:
    events_table(client)
    appends, done, errors = 1000, threading.Event(), []

    def write_many(number: int) -> None:
        writer, channel = write_client(emulator)
        at = time.time_ns() // 1000

        def requests() -> Iterator[Any]:
            for index in range(appends):
                row = EVENT(id=f"{number}-{index}", time=at + index, n=index)
                yield request([row], EVENT_FIELDS if index == 0 else None)

        try:
            answers = sum(1 for answer in writer.append_rows(requests(), timeout=60) if not answer.error.code)
            if answers != appends:
                errors.append(f"writer {number}: {answers} answers")
        except Exception as error:
            errors.append(repr(error))
        finally:
            channel.close()

    def read_many() -> None:
        seen = 0
        with rest_client(emulator) as reader:
            while not done.is_set():
                sql = "SELECT COUNT(*) AS n FROM history.events WHERE time > '2000-01-01'"
                (row,) = reader.query_and_wait(sql)
                if row.n < seen:
                    errors.append(f"{row.n} rows after {seen}")
                seen = row.n

    writers = [threading.Thread(target=write_many, args=(number,)) for number in range(4)]
    readers = [threading.Thread(target=read_many) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert errors == []
    (row,) = client.query_and_wait(
        "SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS d FROM history.events WHERE time > '2000-01-01'"
    )
    assert (row.n, row.d) == (4 * appends, 4 * appends)
