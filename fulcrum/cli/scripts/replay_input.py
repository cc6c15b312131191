"""Where a replay's events come from, and the code of its two sides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fulcrum.cli import output, targets
from fulcrum.cli.problems import usage
from fulcrum.cli.scripts import named, source

if TYPE_CHECKING:
    from fulcrum.cli.connection import Connection
    from fulcrum.script.replay.engine import Version
    from fulcrum.script.replay.lines import Header

_CHUNK = 256 * 1024
DRAFT = "draft"


@dataclass(frozen=True)
class Asked:
    """Which events, and which versions: see the options of the command."""

    since: str = "7d"
    until: str | None = None
    devices: tuple[str, ...] = ()
    blueprint: str | None = None
    version: int | None = None
    against: str = "deployed"
    events: str | None = None
    entry: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    input: Path | None = None
    save_input: Path | None = None
    seconds_per_event: float = 5.0

    def body(self) -> dict[str, Any]:
        """The body of the request for the input."""
        given = {
            "since": targets.instant(self.since),
            "until": targets.instant(self.until),
            "devices": list(self.devices) or None,
            "blueprintId": self.blueprint,
            "events": self.events,
            "entry": self.entry,
            "params": self.params or None,
        }
        return {name: value for name, value in given.items() if value is not None}


@contextmanager
def opened(connection: Connection, script_id: str, asked: Asked) -> Iterator[Iterator[bytes]]:
    """The chunks of an input, from a file or the API; kept beside where that is asked for."""
    with ExitStack() as stack:
        try:
            kept = stack.enter_context(asked.save_input.open("wb")) if asked.save_input else None
            file = stack.enter_context(asked.input.open("rb")) if asked.input else None
        except OSError as error:
            raise usage(f"{error.filename} cannot be opened: {error.strerror}") from error
        if file is not None:
            yield _kept(iter(lambda: file.read(_CHUNK), b""), kept)
            return
        from fulcrum.client.request import Request, segment

        path = f"/v1/script/{segment(script_id)}/replayInput"
        request = Request("POST", path, body=asked.body(), accept="application/x-ndjson")
        yield _kept(_bytes(stack.enter_context(connection.stream(request))), kept)


def _kept(chunks: Iterator[bytes], file: BinaryIO | None) -> Iterator[bytes]:
    for chunk in chunks:
        if file is not None:
            file.write(chunk)
        yield chunk


def _bytes(answer: Any) -> Iterator[bytes]:
    """The bytes of an answer; where the connection breaks, the input ends, which its reader notices."""
    import httpx

    try:
        yield from answer.iter_bytes()
    except httpx.TransportError as error:
        output.note(f"the connection broke: {error}")


def header(chunks: Iterator[bytes]) -> tuple[Header, Iterator[bytes]]:
    """The header of an input, and all of the input."""
    from fulcrum.script.replay.engine import header_of

    begun = b""
    for chunk in chunks:
        begun += chunk
        if b"\n" in chunk:
            break
    found = header_of(begun.partition(b"\n")[0])

    def whole() -> Iterator[bytes]:
        yield begun
        yield from chunks

    return found, whole()


def versions(
    connection: Connection,
    script_id: str,
    path: Path | None,
    asked: Asked,
    first: Header,
    folder: Path,
) -> tuple[Version | None, Version]:
    """Both sides, each with its code in a folder."""
    from fulcrum.script.replay.engine import Version

    before_folder, after_folder = folder / "before", folder / "after"
    before: Version | None = None
    if asked.against == "deployed":
        if first.version:
            code = source.Code(first.code, first.files, first.requirements)
            before = Version(_written(before_folder, code), f"version {first.version}", first.version, True)
    elif asked.against != "none":
        number = _number(asked.against)
        code = _stored(connection, script_id, number)
        is_deployed = number == first.version
        before = Version(_written(before_folder, code), f"version {number}", number, is_deployed)
    if path is not None:
        after = Version(_written(after_folder, source.read(path)), path.name or str(path.resolve().name))
    elif asked.version is not None:
        code = _stored(connection, script_id, asked.version)
        label = f"version {asked.version}"
        label += " again" if before is not None and before.label == label else ""
        after = Version(_written(after_folder, code), label, asked.version)
    else:
        after = Version(_written(after_folder, _draft(connection, script_id)), DRAFT)
    return before, after


def _number(text: str) -> int:
    if not text.isdecimal() or text == "0":
        raise usage(f"--against {text} is none of: deployed, none, the number of a version")
    return int(text)


def _written(folder: Path, code: source.Code) -> Path:
    folder.mkdir()
    source.write(folder, code)
    return folder


def _draft(connection: Connection, script_id: str) -> source.Code:
    return _code(named.Script(connection, script_id, script_id).get())


def _stored(connection: Connection, script_id: str, number: int) -> source.Code:
    return _code(named.Script(connection, script_id, script_id).get(f"versions/{number}"))


def _code(found: dict[str, Any]) -> source.Code:
    return source.Code(str(found["code"]), found.get("files") or {}, str(found.get("requirements") or ""))
