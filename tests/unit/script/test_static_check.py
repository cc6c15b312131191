"""What is told about a script from its text alone."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from fulcrum.script.context import Context
from fulcrum.script.static_check import CONTEXT, MAIN, Problem, check
from local.processes import ROOT


def told(text: str, **others: str) -> list[Problem]:
    """The problems of a main.py, and other files by name."""
    return check({MAIN: textwrap.dedent(text), **others}).problems


def warned(text: str) -> list[tuple[int | None, str]]:
    """The warnings of a sound main.py."""
    found = check({MAIN: textwrap.dedent(text)})
    assert found.problems == []
    return [(each.line, each.message) for each in found.warnings]


def test_entries_are_found_with_their_needs() -> None:
    main = """
        from fulcrum.script import needs
        import fulcrum.script as script
        @needs("cache", deviceData=["a/b"], system=False)
        def run(message, context): pass
        @script.needs("device_data")
        async def walk(message, context, speed=1): pass
        def jump(message, context, /): pass
        jump.needs = {"params": ["height"]}
        def fly(*args): pass
        def swim(message, context): pass
        needs = {"swim": ["cache"]}
        def one(message): pass
        def three(a, b, c): pass
        def named(a, b, *, c): pass
        def _private(message, context): pass
        class Run:
            def run(self, message): pass
    """
    found = check({MAIN: textwrap.dedent(main)})
    assert found.problems == []
    assert found.entries == {
        "run": {"cache": True, "deviceData": ["a/b"]},
        "walk": {"deviceData": True},
        "jump": {"params": ["height"]},
        "fly": {},
        "swim": {"cache": True},
    }


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("def run(message, context)\n    pass", 1, "expected ':'"),
        ("x = 1\nreturn x", 2, "'return' outside function"),
        ("def run(a, b): pass\n\n  x", 3, "unexpected indent"),
        ("a = '\0'", None, "null bytes"),
        ("(" * 300, None, "too many nested"),
        ("x = 1", None, "no entry point"),
        ("def run(a, b):\n    yield 1", 1, "run yields"),
        ("def run(a, b): pass\nrun.needs = ['devices']", 2, "nothing named 'devices'"),
        ("from . import x\ndef run(a, b): pass", 1, "relative import"),
    ],
)
def test_problems_are_told_with_their_line(text: str, line: int | None, message: str) -> None:
    found = told(text)
    assert len(found) == 1
    assert found[0].file == MAIN
    assert message in found[0].message
    if line is not None:
        assert found[0].line == line


def test_other_files_are_checked_too() -> None:
    found = told("def run(a, b): pass", **{"inner/x.py": "def", "notes.txt": "def"})
    assert [(each.file, each.line) for each in found] == [("inner/x.py", 1)]
    assert check({"other.py": ""}).problems[0].message == "there is no main.py"
    found = told("def run(a, b): pass", **{"json.py": "", "fulcrum/x.py": "", "test/json.py": ""})
    assert [each.file for each in found] == ["json.py", "fulcrum/x.py"]


def test_a_context_is_used_as_it_is_and_as_it_is_needed() -> None:
    assert warned(
        """
        def run(message, ctx):
            ctx.device_data
            ctx.device_data
            ctx.send_smss()
            ctx.log(ctx.now, ctx.params)
            def inner():
                ctx.set_cache(1)
        """
    ) == [
        (3, 'ctx.device_data is used, but run does not need it: add "deviceData" to its needs'),
        (5, "ctx.send_smss: a context has no such thing"),
        (8, 'ctx.set_cache is used, but run does not need it: add "cache" to its needs'),
    ]


def test_what_is_known_of_a_context_is_what_it_has() -> None:
    assert set(CONTEXT) == {name for name in dir(Context) if not name.startswith("_")}


def test_clocks_and_chance_are_pointed_out() -> None:
    assert warned(
        """
        import datetime, random, time
        def run(message, context):
            time.time(); time.time(); time.sleep(0)
            datetime.datetime.now(); random.random(); random.Random(5).random()
        """
    ) == [
        (4, "time.time() differs at every run, and in a replay: use context.now"),
        (5, "datetime.datetime.now() differs at every run, and in a replay: use context.now"),
        (5, "random.random() differs at every run, and in a replay: use context.random"),
    ]


def test_computed_needs_and_other_names_are_pointed_out() -> None:
    found = warned("names = ['cache']\ndef walk(message, context):\n    context.cache\nwalk.needs = names")
    assert [line for line, _ in found] == [None, 4]
    assert "no `run`" in found[0][1]
    assert "are computed" in found[1][1]


def test_imports_from_outside_are_told() -> None:
    main = "import numpy.linalg, json, inner.x\nfrom yaml import load\nfrom fulcrum.script import needs\n"
    found = check(
        {MAIN: main + "def run(a, b): import helper", "inner/x.py": "import numpy", "helper.py": ""}
    )
    assert found.problems == []
    assert {name: (place.file, place.line) for name, place in found.imports.items()} == {
        "numpy": (MAIN, 1),
        "yaml": (MAIN, 2),
    }


def test_it_runs_as_a_program_with_the_standard_library_alone() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from fulcrum.script.static_check import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        input=json.dumps({MAIN: "def run(message, context):\n    context.cache"}),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["entries"] == [{"name": "run", "needs": {}}]
    assert [each["line"] for each in found["warnings"]] == [2]
    assert (found["problems"], found["imports"]) == ([], [])
