"""The followed file: what is kept of it, and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulators.logging.state import Lines
from local.structured import StructuredLog


def line(message_id: str, **fields: Any) -> str:
    """A structured line."""
    head = {"severity": "INFO", "time": "2026-11-29T12:00:00+00:00", "message": "batch", "service": "s"}
    return json.dumps({**head, "messageId": message_id, **fields}, separators=(",", ":"))


def ids(lines: Lines, message_id: str) -> list[int]:
    """The numbers of the lines about a message."""
    lines.refresh()
    return [number for _, number, _ in lines.entries({("jsonPayload.messageId", message_id)})]


def test_lines_are_found_as_the_file_grows(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = Lines(path)
    assert ids(lines, "a") == []
    with path.open("w") as file:
        file.write(f"{line('a')}\nno json\n{line('b', published=['x'])}\n{line('a')[:20]}")
        file.flush()
        assert ids(lines, "a") == [0]
        file.write(f"{line('a')[20:]}\n")
    assert ids(lines, "a") == [0, 2]
    found = [entry for _, _, entry in lines.entries({("jsonPayload.published", "x")})]
    assert [entry["jsonPayload"]["messageId"] for entry in found] == ["b"]
    assert found[0]["resource"]["labels"]["service_name"] == "s"
    assert "severity" not in found[0]["jsonPayload"]
    assert len(list(lines.entries(None))) == 3
    lines.forget()
    assert ids(lines, "a") == []
    lines.close()


def test_only_the_latest_are_known(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f"{line(f'm{n}', published=[f'p{n}', 'all'])}\n" for n in range(10)))
    lines = Lines(path, max_lines=3)
    assert ids(lines, "m6") == []
    assert ids(lines, "m9") == [9]
    assert [number for _, number, _ in lines.entries({("jsonPayload.published", "all")})] == [7, 8, 9]
    lines.close()
    few = Lines(path, max_ids=6)
    few.refresh()
    assert [number for _, number, _ in few.entries(None)] == [8, 9]
    few.close()


def test_a_file_that_begins_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = StructuredLog(tmp_path / "log.jsonl", max_bytes=200)
    log.open()
    lines = Lines(log.path)
    log.take([line("a"), line("a")])
    assert len(ids(lines, "a")) == 2
    log.take([line("b")])
    assert (ids(lines, "a"), ids(lines, "b")) == ([], [0])
    log.close()
    lines.close()


def test_structured_lines_are_made_readable_and_others_left_alone(tmp_path: Path) -> None:
    log = StructuredLog(tmp_path / "log.jsonl")
    log.open()
    broken = '{"severity":"INFO","time":"never","message":"m","service":"s"}'
    odd = '{"severity":1}'
    shown = log.take([line("a", ms=1.5), "Traceback", broken, odd])
    assert shown == ["12:00:00.000 INFO    s: batch messageId=a ms=1.5", "Traceback", broken, odd]
    log.close()
    assert log.path.read_text() == line("a", ms=1.5) + "\n"
