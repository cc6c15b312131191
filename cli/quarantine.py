"""``python -m cli.quarantine``: look at what could not be processed, send it again, or throw it away."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from cli import target
from local import topology
from local.processes import StartError
from shared import clock
from shared import quarantine_entries as entries
from shared.clients import firestore, pubsub
from shared.errors import FulcrumError
from shared.quarantine_entries import Entry

_COLUMNS = ("errorType", "service", "topic", "size")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all went well, 1 if something did not, 2 for a wrong command line."""
    args = _parser().parse_args(arguments)
    try:
        target.use(args)
        result: int = asyncio.run(_run(args))
    except (FulcrumError, StartError) as error:
        print(f"quarantine: {error}", file=sys.stderr)
        return 1
    return result


def _parser() -> argparse.ArgumentParser:
    parser = target.parser(
        "quarantine", "Look at what could not be processed, send it again, or throw it away."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run, text in (
        ("list", _list, "list entries, the latest first"),
        ("show", _show, "show one entry and its original bytes"),
        ("redrive", _redrive, "publish entries again where they came from, then delete them"),
        ("purge", _purge, "delete entries for good"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--project", required=True, help="whose quarantine; none: of no known project")
        if name == "show":
            command.add_argument("id")
            command.add_argument("--data", action="store_true", help="write the original bytes and no more")
        else:
            command.add_argument("--error-type", help="only of this type, or of types that begin with it")
            command.add_argument("--service", help="only what this service set aside")
        if name in ("redrive", "purge"):
            command.add_argument("ids", nargs="*", metavar="id", help="entries; none: see --all")
            command.add_argument("--all", action="store_true", help="all entries that the filters leave")
        if name in ("list", "show"):
            command.add_argument("--json", action="store_true", help="print JSON")
        if name == "list":
            command.add_argument("--limit", type=int, default=50, help="at most so many (%(default)s)")
        if name == "redrive":
            command.add_argument("--topic", help="publish to this topic instead")
        if name == "purge":
            command.add_argument("--yes", action="store_true", help="do not ask")
    return parser


async def _run(args: argparse.Namespace) -> int:
    try:
        result: int = await args.run(args)
        return result
    finally:
        await firestore.close()
        await pubsub.close()


async def _list(args: argparse.Namespace) -> int:
    found: list[Entry] = []
    async for entry in entries.listed(args.project, _filter(args)):
        if len(found) == args.limit:
            print(f"more than {args.limit}: see --limit", file=sys.stderr)
            break
        found.append(entry)
    if args.json:
        print(json.dumps([_plain(entry) for entry in found], indent=2))
    elif not found:
        print("nothing in quarantine")
    else:
        _print_table(found)
    return 0


async def _show(args: argparse.Namespace) -> int:
    entry = await entries.get(args.project, args.id)
    data = await entries.read_data(entry)
    if args.data:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return 0
    if args.json:
        print(json.dumps({**_plain(entry), "data": data.decode(errors="backslashreplace")}, indent=2))
        return 0
    for key, value in _plain(entry).items():
        print(f"{key:<16} {_time(value) if key in ('time', 'publishTime') else value}")
    print(f"\n{data.decode(errors='backslashreplace')}")
    return 0


async def _redrive(args: argparse.Namespace) -> int:
    topics = {name: found.topic for name, found in _subscriptions().items()}

    async def one(entry: Entry) -> str:
        topic = args.topic or entries.topic_of(entry, topics)
        await entries.redrive(entry, topic)
        return f"published to {topic}"

    return await _each(args, await _chosen(args), one)


async def _purge(args: argparse.Namespace) -> int:
    chosen = await _chosen(args)
    if chosen and not args.yes:
        question = f"delete {len(chosen)} entries of {args.project} for good? [y/N] "
        answer = await asyncio.to_thread(input, question)
        if answer.strip().lower() not in ("y", "yes"):
            print("nothing deleted")
            return 1

    async def one(entry: Entry) -> str:
        await entries.delete(entry)
        return "deleted"

    return await _each(args, chosen, one)


async def _each(args: argparse.Namespace, chosen: list[Entry], one: Callable[[Entry], Any]) -> int:
    """Do one thing to each entry; one that fails does not stop the others."""
    failed = 0
    for entry in chosen:
        try:
            print(f"{entry.id}  {await one(entry)}")
        except FulcrumError as error:
            failed += 1
            print(f"{entry.id}  {error}", file=sys.stderr)
    print(f"{len(chosen) - failed} of {len(chosen)} entries done")
    return 1 if failed else 0


async def _chosen(args: argparse.Namespace) -> list[Entry]:
    if bool(args.ids) is args.all:
        raise FulcrumError("name entries by their ids, or say --all (with or without filters)")
    wanted = _filter(args)
    if args.all:
        return [entry async for entry in entries.listed(args.project, wanted)]
    return [entry for entry_id in args.ids if wanted(entry := await entries.get(args.project, entry_id))]


def _filter(args: argparse.Namespace) -> Callable[[Entry], bool]:
    def wanted(entry: Entry) -> bool:
        kind = entry.text("errorType")
        right_type = not args.error_type or kind == args.error_type or kind.startswith(f"{args.error_type}.")
        return right_type and args.service in (None, _service(entry))

    return wanted


@cache
def _subscriptions() -> Mapping[str, topology.Subscription]:
    return topology.load().subscriptions


def _service(entry: Entry) -> str:
    """Who set it aside; of a dead letter, whose subscription it was."""
    known = _subscriptions().get(entry.text("subscription"))
    return entry.text("service") or (known.function if known else "")


def _plain(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, **{key: value for key, value in entry.fields.items() if value is not None}}


def _time(ms: Any) -> str:
    return clock.from_ms(ms).isoformat(timespec="milliseconds") if isinstance(ms, int) else str(ms)


def _print_table(found: list[Entry]) -> None:
    rows: list[tuple[str, ...]] = [("id", "time", *_COLUMNS, "message")]
    for entry in found:
        texts = {name: entry.text(name) for name in _COLUMNS}
        texts["service"] = _service(entry)
        texts["topic"] = texts["topic"] or entry.text("subscription")
        message = entry.text("message").replace("\n", " ")
        rows.append((entry.id, _time(entry.fields.get("time")), *texts.values(), message))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    room = max(20, shutil.get_terminal_size().columns - sum(widths[:-1]) - 2 * (len(widths) - 1))
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        print("  ".join((*cells, row[-1][:room])).rstrip())


if __name__ == "__main__":
    sys.exit(main())
