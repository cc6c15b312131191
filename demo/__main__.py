"""Runs the demo: `make demo`. Exit status 0 if everything that is promised was found true, else 1."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from demo import automation, fleet, prove, report, send, setup
from fulcrum import Client
from fulcrum.errors import ClientError
from local.processes import ROOT, StartError
from local.stack import DrainTimeout, Stack
from shared import clock

EVENTS = 20_000
_DRAIN_SECONDS = 120


def main() -> int:
    """Start the stack, send, prove, tell."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="fulcrum-demo-") as folder:
        try:
            faults = _run(console, Path(folder))
        except (StartError, DrainTimeout, ClientError, RuntimeError, OSError) as error:
            faults = [str(error) or repr(error)]
        except KeyboardInterrupt:
            return _end(console, ["interrupted"])
        except Exception as error:
            # Nothing that is foreseen: the last line tells it all the same.
            traceback.print_exc()
            faults = [f"{type(error).__name__}: {error}"]
        if faults:
            _keep_log(console, Path(folder))
    return _end(console, faults)


def _end(console: Console, faults: list[str]) -> int:
    """Print the last line, whole on one line, after what else the reason says; the exit status."""
    if faults:
        why, _, more = "; ".join(faults).partition("\n")
        if more:
            console.print(more, markup=False, soft_wrap=True)
        console.print(f"demo FAILED: {why.rstrip(':')}", style="bold red", markup=False, soft_wrap=True)
        return 1
    console.print("demo ok", style="bold green")
    return 0


def _keep_log(console: Console, folder: Path) -> None:
    """Keep what the processes said: the folder of the stack goes."""
    source, kept = folder / "stack.log", ROOT / ".fulcrum" / "demo.log"
    if source.exists():
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, kept)
        console.print(f"what all processes said: {kept}", markup=False, soft_wrap=True)


def _run(console: Console, folder: Path) -> list[str]:
    console.print("starting the emulators and the functions' front ...")
    with Stack(folder) as stack:
        os.environ.update(stack.env())
        token = setup.administrator(stack.url, stack.env()["FULCRUM_SETUP_TOKEN"])
        with Client(stack.url, token=token, project=setup.PROJECT) as client:
            console.print("making the project, its networks and devices through the API ...")
            built = setup.build(client, fleet.devices())
            book, proof = _prove(console, stack, client, built)
            console.print("deploying two scripts, sending what they look at, simulating a device ...")
            seen = automation.run(stack, client, built)
            report.automation(console, seen)
    return proof.faults() + _unexpected(book, proof) + seen.faults()


def _prove(
    console: Console, stack: Stack, client: Client, built: setup.Built
) -> tuple[send.Book, prove.Proof]:
    events = fleet.events(built.fleet, EVENTS, clock.now_ms())
    began = time.monotonic()
    before = _calls(stack)
    book = _send(console, stack, built.keys, events)
    stack.drain(_DRAIN_SECONDS)
    seconds = time.monotonic() - began
    made = {
        service: {method: count - before[service].get(method, 0) for method, count in methods.items()}
        for service, methods in _calls(stack).items()
    }
    with bigquery.Client(project=stack.project, credentials=AnonymousCredentials()) as sql:
        proof = prove.run(sql, client, setup.PROJECT, book.accepted, events)
    report.counts(console, book, proof)
    report.calls(console, made, len(events))
    question = prove.example(built.blueprints["coldRoom"])
    report.example(console, question, client.project.history_search(setup.PROJECT, body=question)["items"])
    console.print(f"all stored {seconds:.1f} s after the first post")
    console.print(f"lost {len(proof.lost)}, twice {len(proof.twice)}", end=", ")
    same = not proof.state_differs and not proof.state_wrong
    console.print("state equals the fold of history" if same else "state differs")
    return book, proof


def _calls(stack: Stack) -> dict[str, dict[str, int]]:
    """The calls of each service so far."""
    return {
        "Pub/Sub": stack.calls("pubsub"),
        "Firestore": stack.calls("firestore"),
        "BigQuery": stack.calls("bigquery"),
    }


def _send(console: Console, stack: Stack, keys: dict[str, str], events: list[fleet.Sent]) -> send.Book:
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("sending", total=len(events))
        return asyncio.run(
            send.send(stack.url, keys, events, lambda count: progress.update(task, advance=count))
        )


def _unexpected(book: send.Book, proof: prove.Proof) -> list[str]:
    """What came out otherwise than the fleet was made."""
    faults = []
    wrong = [sent for sent in book.refused if sent.fate != "malformed"]
    if wrong:
        faults.append(f"good events were refused: {len(wrong)}, such as {wrong[0].text}")
    taken = [sent for sent in book.accepted if sent.fate == "malformed"]
    if taken:
        faults.append(f"malformed events were accepted: {len(taken)}, such as {taken[0].text}")
    strangers = sum(sent.fate == "unknown" for sent in book.accepted)
    if proof.unknown < strangers:
        faults.append(f"unknown devices' events were counted {proof.unknown} times, {strangers} were sent")
    if proof.quarantined:
        faults.append(f"{proof.quarantined} events are in quarantine")
    return faults


if __name__ == "__main__":
    sys.exit(main())
