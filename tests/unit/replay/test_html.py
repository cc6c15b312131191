"""The page of a report: whole in itself, and nothing that devices or scripts say is markup in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec

from fulcrum.cli.scripts import replay_text
from fulcrum.script.replay import charts
from fulcrum.script.replay.answers import Deviation, ErrorGroup, Example, Fidelity
from fulcrum.script.replay.html import page
from fulcrum.script.replay.lines import Note
from fulcrum.script.replay.report import (
    Change,
    Day,
    Figures,
    PathDifference,
    PathExample,
    Report,
    Sent,
    Verdict,
)

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=y>\n\x1b[2J"


def evil() -> Report:
    event = Example(device_id=EVIL, event_id=EVIL, time=1_790_000_000_000, text=EVIL)
    group = ErrorGroup(
        kind="exception", type=EVIL, message=EVIL, traceback=EVIL, count=2, devices=1, first=event
    )
    side = Figures(label=EVIL, version=1, sms=3, failed=2, errors=[group])
    deviation = Deviation(difference="outside", event=event, recorded=EVIL, replayed=EVIL)
    example = PathExample(device_id=EVIL, before=EVIL, after=None, final=True)
    return Report(
        script_id="s",
        script_name=EVIL,
        project_id="p",
        since=1_790_000_000_000,
        until=1_790_086_400_000,
        selection="ran",
        device_names={EVIL: EVIL},
        devices=1,
        events=3,
        before=side,
        after=msgspec.structs.replace(side, sms=5),
        events_changed=1,
        changes=[Change(event=event, before=EVIL, after=EVIL)],
        gained={"sms": 2},
        lost={"email": 1},
        sent_only_after=[Sent(kind="sms", event=event, to=[EVIL], text=EVIL)],
        sent_only_before=[Sent(kind="email", event=event, to=[EVIL], text=EVIL)],
        state_changed=1,
        devices_changed=1,
        devices_differ_finally=1,
        paths=[PathDifference(path=EVIL, devices=1, events=1, final=1, examples=[example])],
        fidelity=Fidelity(compared=3, same=2, counts={"outside": 1}, examples=[deviation]),
        days=[Day(start=0, events=3, changed=1, before={"sendSms": 1, "failed": 1}, after={"sendSms": 2})],
        notes=[Note("late", EVIL)],
        problems=[EVIL],
        rules=[Verdict(rule=EVIL, broken=True, text=EVIL)],
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))
        if tag not in ("meta", "br", "line", "rect", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        # A rectangle has a title in it.
        if tag != "rect":
            assert self.open.pop() == tag


def test_nothing_that_comes_from_outside_is_markup() -> None:
    made = page(evil())
    tags = Tags()
    tags.feed(made)
    assert tags.open == []
    names = {tag for tag, _ in tags.found}
    assert not names & {"script", "img", "iframe", "object", "link", "a", "form"}
    attributes = {name for _, attrs in tags.found for name, _ in attrs}
    assert not [name for name in attributes if name.startswith("on")]
    assert "src" not in attributes
    assert "href" not in attributes
    assert made.count("&lt;script&gt;") > 15
    assert "default-src 'none'" in made


def test_a_page_needs_nothing_else() -> None:
    made = page(evil())
    assert not re.search(r"https?://|@import|url\(", made)
    assert made.startswith("<!doctype html>")
    assert "<svg" in made


def test_the_terminal_is_told_the_same_without_its_own_commands() -> None:
    text = "\n".join(replay_text.lines(evil()))
    for part in ("No longer sent: 1 mails", "Sent in addition: 2 text messages", "BROKEN", "outside"):
        assert part in text
    assert "\x1b" not in text


def test_bars_are_as_high_as_their_values() -> None:
    made = charts.bars(("a", "b"), [("x", "old", [0, 5, 10])])
    heights = [float(height) for height in re.findall(r'height="([\d.]+)"><title>', made)]
    assert len(heights) == 2
    assert heights[1] == 2 * heights[0]
    assert charts.bars(("a", "b"), [("x", "old", [])]).endswith("</svg>")


def test_a_report_as_json_keeps_its_names() -> None:
    made = evil().to_json()
    assert {"v", "scriptId", "eventsChanged", "sentOnlyBefore", "fidelity", "rules", "before"} <= set(made)
    assert made["after"]["p95Us"] == 0.0
    assert msgspec.json.decode(msgspec.json.encode(made), type=Report) == evil()
