"""The process that fills templates: one that takes too much is ended, and the next request is served."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import template_process
from shared.errors import Rejected, Transient
from shared.template_process import Part, Problem

DOUBLED = "{% set x = ['a'] %}" + "{% set x = [x, x] %}" * 40
GOOD = Part("{{ name }} is too warm")


@pytest.fixture(autouse=True)
def _process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(template_process, "CPU_SECONDS", 0.2)
    yield
    template_process._process.end()


def _pid() -> int | None:
    child = template_process._process._child
    return None if child is None else child.pid


async def test_parts_are_filled_and_say_what_they_take() -> None:
    parts = {"html": Part("<b>{{ name }}</b>", html=True), "text": GOOD}
    filled = await template_process.preview(parts, {"name": "R&D"})
    assert filled.texts == {"html": "<b>R&amp;D</b>", "text": "R&D is too warm"}
    assert (filled.names, filled.problems) == (["name"], [])
    first = _pid()
    assert await template_process.fill({"text": GOOD}, {"name": "x"}) == {"text": "x is too warm"}
    assert _pid() == first


async def test_what_is_wrong_is_said_of_its_part_and_the_others_are_filled() -> None:
    parts = {"subject": Part("{{ nobody }}"), "text": GOOD}
    filled = await template_process.preview(parts, {"name": "x"})
    assert filled.problems == [Problem("subject", "line 1: the context has no 'nobody'")]
    assert filled.texts == {"text": "x is too warm"}
    with pytest.raises(Rejected) as caught:
        await template_process.fill(parts, {"name": "x"})
    assert caught.value.error_type == "template.invalid"
    assert caught.value.message == "subject: line 1: the context has no 'nobody'"


async def test_whoever_waits_behind_templates_that_loop_takes_no_thread_of_others() -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    loops = Part("{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}")
    filling = [asyncio.create_task(template_process.preview({"text": loops}, {})) for _ in range(4)]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(int) == 0
    assert not all(task.done() for task in filling)
    for filled in await asyncio.gather(*filling):
        assert filled.problems == [Problem("text", "it takes too long to fill")]


async def test_a_template_is_inspected_without_a_context() -> None:
    found = await template_process.inspect({"text": GOOD, "html": Part("{% if %}", html=True)})
    assert (found.names, found.texts) == (["name"], {})
    assert [problem.part for problem in found.problems] == ["html"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}" * 9, "too long"),
        (DOUBLED + "{{ x }}", "too long"),
        (DOUBLED + DOUBLED.replace("x", "y") + "{{ x == y }}", "too long"),
        ("{{ 'x' * 1000000000 }}", "too much memory"),
        # What fills memory by and by may run out of time first.
        ("{{ 'x'|center(1000000000) }}", "too much memory|too long"),
        ("{{ '%1000000000d' % 1 }}", "too much memory|too long"),
        (
            "{% set n = namespace(x='xxxxxxxx') %}{% for i in range(99) %}"
            "{% set n.x = n.x ~ n.x %}{% endfor %}",
            "too much memory|too long",
        ),
    ],
    ids=["loops", "doubled", "compared", "times", "filter", "format", "namespace"],
)
async def test_what_takes_too_much_is_ended_and_the_next_is_served(source: str, said: str) -> None:
    with pytest.raises(Rejected, match=said):
        await template_process.fill({"text": Part(source)}, {})
    assert await template_process.fill({"text": GOOD}, {"name": "x"}) == {"text": "x is too warm"}


async def test_a_process_that_was_ended_from_outside_costs_no_request() -> None:
    await template_process.fill({"text": GOOD}, {"name": "x"})
    first = _pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert await template_process.fill({"text": GOOD}, {"name": "x"}) == {"text": "x is too warm"}
    assert _pid() != first


async def test_where_no_process_can_be_started_it_is_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Transient):
        await template_process.fill({"text": GOOD}, {"name": "x"})
    monkeypatch.undo()
    assert await template_process.fill({"text": GOOD}, {"name": "x"}) == {"text": "x is too warm"}


async def test_a_process_that_dies_at_its_start_is_no_fault_of_the_template(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(template_process, "_START", "raise SystemExit(3)")
    with pytest.raises(Transient, match="it does not start"):
        await template_process.fill({"text": GOOD}, {"name": "x"})
    monkeypatch.undo()
    assert await template_process.fill({"text": GOOD}, {"name": "x"}) == {"text": "x is too warm"}


async def test_a_context_may_be_large() -> None:
    context = {"name": "x", "more": "y" * 3_000_000}
    assert await template_process.fill({"text": GOOD}, context) == {"text": "x is too warm"}


async def test_many_at_once_take_turns() -> None:
    parts = {"text": GOOD}
    asked = [template_process.fill(parts, {"name": str(number)}) for number in range(40)]
    filled = await asyncio.gather(*asked)
    assert filled == [{"text": f"{number} is too warm"} for number in range(40)]


async def test_the_process_has_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_SENDGRID_API_KEY", "SG.secret")
    await template_process.fill({"text": GOOD}, {"name": "x"})
    with open(f"/proc/{_pid()}/environ", "rb") as file:
        assert b"SENDGRID" not in file.read()
