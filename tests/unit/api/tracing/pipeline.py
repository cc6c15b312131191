"""A made-up run of the platform: events of two projects through ingest, message_processor and transponder."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from functions.api.tracing.facts import Facts, Line, Row

START = 1_790_000_000_000_000
PROJECTS = ("farm", "mine")


@dataclass(frozen=True)
class Event:
    """An event that a device sent."""

    number: int
    project: str
    received: int

    @property
    def id(self) -> str:
        return f"e{self.number}"


@dataclass
class Played:
    """What became of all events. ``hops``: the messages that each was in, its device's and the writer's."""

    events: list[Event]
    hops: dict[Event, tuple[str, str]] = field(default_factory=dict)
    rows: dict[Event, Row] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    project_of: dict[str, str] = field(default_factory=dict)

    def facts(self, event: Event) -> Facts:
        """What is read of one event: its row, and the lines of everybody, as a log would answer too much."""
        return Facts(event.project, event.id, rows=[self.rows[event]], lines=list(self.lines))


@st.composite
def played(draw: st.DrawFn) -> Played:
    """Events in flights of ingest, which message_processor packs together as they come."""
    clock = START
    events: list[Event] = []
    flights: list[list[Event]] = []
    for size in draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)):
        flight = []
        for _ in range(size):
            clock += draw(st.integers(0, 20_000))
            event = Event(len(events), draw(st.sampled_from(PROJECTS)), clock)
            events.append(event)
            flight.append(event)
        flights.append(flight)
    done = Played(events)
    arrived: list[tuple[str, list[Event]]] = []
    for flight in flights:
        took = draw(st.integers(500, 9_000))
        began = max(event.received for event in flight)
        messages: dict[str, list[Event]] = {}
        for event in flight:
            messages.setdefault(event.project, []).append(event)
        ids = []
        for project, inside in messages.items():
            message_id = f"d{len(done.project_of)}"
            done.project_of[message_id] = project
            ids.append(message_id)
            arrived.append((message_id, inside))
        named = [f"{event.project}/{event.id}" for event in flight] if draw(st.booleans()) else []
        payload = {"events": len(flight), "ms": took / 1000, "published": ids, "eventIds": named}
        done.lines.append(Line(began + took, "ingest", "events published", "INFO", payload))
        clock = max(clock, began + took)
    while arrived:
        count = draw(st.integers(1, len(arrived)))
        group, arrived = arrived[:count], arrived[count:]
        _process(done, draw, group, clock)
        clock += 50_000
    return done


def _process(done: Played, draw: st.DrawFn, group: list[tuple[str, list[Event]]], clock: int) -> None:
    """Deliveries that are published in one call: a message a project."""
    written: dict[str, str] = {}
    for message_id, inside in group:
        project = done.project_of[message_id]
        out = written.setdefault(project, f"w{len(done.project_of)}")
        done.project_of[out] = project
        for event in inside:
            done.hops[event] = (message_id, out)
        for attempt in range(1, draw(st.integers(1, 2)) + 1):
            payload = {"messageId": message_id, "projectId": project, "attempt": attempt, "ms": 1.5}
            counts = {"messages": len(inside), "forwarded": len(inside), "published": [out]}
            done.lines.append(Line(clock + attempt, "message_processor", "batch", "INFO", payload | counts))
    for event in (event for _, inside in group for event in inside):
        out = written[event.project]
        done.rows[event] = Row(
            f"device-{event.number % 3}",
            event.id,
            "h",
            "data",
            event.received,
            event.received,
            clock + 20_000,
            out,
        )
    for project, out in written.items():
        payload = {"messageId": out, "projectId": project, "attempt": 1, "events": 1, "stored": 1, "ms": 4}
        done.lines.append(Line(clock + 30_000, "transponder", "batch stored", "INFO", payload))
