"""Loading a script: its entry points, its modules beside those of another version, what fails and where."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fulcrum.script import loading, wire
from fulcrum.script.running import Runner
from tests.unit.script.support import call, code, event, written


def test_entry_points_are_public_functions_that_take_a_message_and_a_context(tmp_path: Path) -> None:
    main = """
        import functools
        from json import dumps
        from inner import helper
        def run(message, context): pass
        async def walk(message, context, speed=1): pass
        def fly(*args): pass
        def noted(function):
            @functools.wraps(function)
            def wrapped(*args): return function(*args)
            return wrapped
        @noted
        def swim(message, context): pass
        def one(message): pass
        def three(a, b, c): pass
        def named(a, b, *, c): pass
        def _private(message, context): pass
        class Made:
            def __call__(self, message, context): pass
        made = Made()
    """
    found = code(tmp_path, main, inner="def helper(message, context): pass")
    assert list(found.entries) == ["run", "walk", "fly", "swim"]
    assert found.version == 3
    assert found.function("run").__name__ == "run"


def test_two_versions_stand_side_by_side(tmp_path: Path) -> None:
    main = """
        import helper
        from package.inner import name
        def run(message, context):
            import late
            context.log(helper.NAME, name(), late.NAME)
    """

    def version(number: int) -> Runner:
        return Runner(
            code(
                tmp_path,
                main,
                helper=f"NAME = 'helper{number}'",
                package__inner="import helper\ndef name(): return 'inner of ' + helper.NAME",
                late=f"NAME = 'late{number}'",
            )
        )

    marker = object()
    sys.modules["helper"] = marker  # type: ignore[assignment]  # what else may have the name
    old, new = version(1), version(2)
    for _ in range(2):
        for number, runner in ((1, old), (2, new)):
            (outcome,) = runner.run(call(event(1))).outcomes
            assert outcome.logs == [wire.LogLine(text=f"helper{number} inner of helper{number} late{number}")]
    loading.deactivate()
    assert sys.modules.pop("helper") is marker
    assert "late" not in sys.modules
    assert not any(path.startswith(str(tmp_path)) for path in sys.path)


@pytest.mark.parametrize(
    ("main", "line", "says"),
    [
        ("def run(message, context)\n    pass", 1, "expected ':'"),
        ("import inner", 0, "inner.py:2: invalid syntax"),
        ("x = 1\nimport nothing_like_it", 2, "no module 'nothing_like_it': add its package"),
        ("def f():\n    return 1 / 0\nf()", 2, "ZeroDivisionError when the file is loaded"),
        ("raise SystemExit", 1, "ends the process"),
        ("x = 1", 0, "has no entry point"),
        ("def run(message, context): pass\nneeds = {'run': {'cache': 5}}", 1, "needs 'cache' as 5"),
    ],
)
def test_what_cannot_be_loaded_says_where_and_what_to_do(
    tmp_path: Path, main: str, line: int, says: str
) -> None:
    with pytest.raises(loading.LoadError) as caught:
        code(tmp_path, main, inner="x = 1\nx = = 2")
    assert says in str(caught.value)
    if line:
        assert (caught.value.file, caught.value.line) == ("main.py", line)
    assert caught.value.failure().kind == "load"
    assert loading.active() is None


def test_a_module_that_would_stand_in_the_place_of_pythons_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(loading.LoadError, match="types: it has the name of a module of Python's own"):
        code(tmp_path, "def run(message, context): pass", types="X = 1")
    assert code(tmp_path, "def run(message, context): pass", test__types="X = 1").entries


def test_a_folder_without_main_says_so(tmp_path: Path) -> None:
    with pytest.raises(loading.LoadError, match=r"no main\.py"):
        loading.load(tmp_path)


def test_code_is_read_anew_and_leaves_nothing_in_its_folder(tmp_path: Path) -> None:
    folder = written(tmp_path, "import helper\ndef run(message, context): return False", helper="X = 1")
    loading.load(folder)
    # Of the same size, within the same second: a cached file would not be told from it.
    (folder / "main.py").write_text("import helper\ndef run(message, context): return None ")
    (outcome,) = Runner(loading.load(folder)).run(call(event(1))).outcomes
    assert outcome.result is None
    assert sorted(path.name for path in folder.iterdir()) == ["helper.py", "main.py"]
