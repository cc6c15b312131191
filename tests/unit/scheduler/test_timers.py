"""A timer and its document."""

from __future__ import annotations

from datetime import UTC, datetime

from functions.scheduler import timers


def test_a_timer_is_read_from_what_its_document_has() -> None:
    timer = timers.Timer(
        project_id="p",
        timer_id="t",
        state="running",
        stamp=(5, "a"),
        action={"type": "queryUrl"},
        action_stamp=(6, "b"),
        timer={"type": "once"},
        start=1,
        fire_time=7,
        occurrences=2,
        last_fired=3,
        system_id="s",
        device_id="d",
        script_id="c",
        managed=True,
    )
    fields = timers.to_fields(timer, datetime(2026, 1, 1, tzinfo=UTC))
    # When it is due, these alone are read.
    assert set(fields) == set(timers.FIELDS)
    assert timers.from_fields(fields) == timer
