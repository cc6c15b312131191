"""The demo's tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from demo.automation import Seen
from demo.prove import Proof
from demo.send import Book

# Calls that the functions make, by service; the emulators' own deliveries and the proof's reads are no part.
CALLS = {
    "Pub/Sub": ("Publish",),
    "Firestore": ("BatchGetDocuments", "BatchWrite", "Commit"),
    "BigQuery": ("AppendRows",),
}


def counts(console: Console, book: Book, proof: Proof) -> None:
    """What became of every event."""
    fates = Counter(sent.fate for sent in book.accepted)
    repeats = sum(sent.repeat for sent in book.accepted)
    table = Table(title="what became of every event", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column(justify="left", style="dim")
    table.add_row("sent", f"{book.sent:,}", f"in {book.posts:,} posts, {repeats:,} events of them repeats")
    table.add_row("accepted", f"{len(book.accepted):,}", "answered 202, or 207 and not named in it")
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(book.reasons.items()))
    table.add_row("refused", f"{len(book.refused):,}", reasons)
    table.add_row("unknown", f"{proof.unknown:,}", f"of {fates['unknown']:,} sent by devices nobody knows")
    table.add_row("quarantined", f"{proof.quarantined:,}", "")
    table.add_row("rows in history", f"{proof.rows:,}", f"of {proof.events:,} different events")
    table.add_row("event records", f"{proof.records:,}", "alarms that came with the data, in history too")
    table.add_row("devices in state", f"{proof.devices:,}", "")
    console.print(table)


def calls(console: Console, made: Mapping[str, Mapping[str, int]], events: int) -> None:
    """Calls to each service for 1,000 events."""
    table = Table(title="calls made for 1,000 events", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column(justify="left", style="dim")
    for service, methods in CALLS.items():
        seen = {method: made[service].get(method, 0) for method in methods}
        detail = ", ".join(f"{method} {count:,}" for method, count in seen.items() if count)
        table.add_row(service, f"{sum(seen.values()) * 1000 / events:,.1f}", detail)
    console.print(table)


def example(console: Console, question: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """A question to history with its answer."""
    console.print("an example of what history can be asked:", style="bold")
    console.print(json.dumps(question), style="cyan", highlight=False, markup=False)
    table = Table(*(rows[0] if rows else ("no rows",)), box=None)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)


def automation(console: Console, seen: Seen) -> None:
    """What scripts, a timer and a simulation led to."""
    table = Table(title="what the scripts and the simulation led to", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="left", style="dim")
    for subject, state in sorted(seen.mails):
        table.add_row(f"mail: {subject}", state)
    table.add_row("simulated room, as its history has it", ", ".join(f"{value:g}" for value in seen.played))
    console.print(table)
