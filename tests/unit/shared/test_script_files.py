"""What a script may consist of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fulcrum.core.script_files import MAX_BYTES, file_problems, path_problem, requirement_problems
from shared.model.script import ScriptCode, shown_state


@pytest.mark.parametrize(
    "path", ["limits.py", "a/b/c.py", "data/table.csv", "_x.py", "a-b.1.txt", "__init__.py"]
)
def test_plain_paths_are_taken(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize(
    "path",
    [
        *("", "/etc/passwd", "../x.py", "a/../b.py", "a//b.py", "a/", "./a.py", ".env", "a/.git/x", "-r.py"),
        *("a\\b.py", "C:/x.py", "a b.py", "é.py", "main.py", "Main.py", "requirements.txt", "manifest.json"),
        *("fulcrum.py", "fulcrum/core.py", "a\n.py", "a" * 201),
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    assert path_problem(path)
    assert list(file_problems({path: "x = 1\n"}))


def test_files_that_hide_each_other_are_refused() -> None:
    assert "case" in next(file_problems({"a.py": "", "A.py": ""}))
    assert "files are in it" in next(file_problems({"lib": "", "lib/a.py": ""}))
    assert "no text" in next(file_problems({"a.bin": "\x00"}))
    assert "at most" in next(file_problems({f"f{n}.py": "" for n in range(201)}))
    assert not list(file_problems({"lib/a.py": "\tx\r\n\x0c", "lib/b.py": "", "lib.py": ""}))


def test_requirements_are_exact_pins() -> None:
    text = "# geometry\ngeographiclib==2.1\n\nnumpy == 2.1.3  # fast\nhttpx[http2,socks]==0.28.1\n"
    assert list(requirement_problems(text)) == []


@pytest.mark.parametrize(
    "line",
    [
        *("numpy", "numpy>=2", "numpy==2.*", "numpy~=2.1", "-r other.txt", "-e .", "./here", "--index-url x"),
        *("git+https://example.com/x.git", "x @ https://example.com/x.whl", "https://example.com/x.whl"),
        *("x==1; python_version < '3'", "x==1 --hash=sha256:00", "x==1 y==2", "é==1"),
    ],
)
def test_all_else_is_no_requirement(line: str) -> None:
    (problem,) = requirement_problems(f"ok==1.0\n{line}\n")
    assert problem.startswith("line 2: ")


def test_a_package_is_named_once() -> None:
    assert list(requirement_problems("a-b==1\nA_b==2\n")) == ["line 2: A_b is there twice"]
    assert "at most" in list(requirement_problems("".join(f"p{n}==1\n" for n in range(101))))[-1]


def test_a_script_fits_one_document_with_its_files() -> None:
    half = "#" * (MAX_BYTES // 2 - 100)
    assert ScriptCode(code=half, files={"a.py": half}).files["a.py"] == half
    with pytest.raises(ValidationError, match="at most"):
        ScriptCode(code=half, files={"a.py": half, "b.py": half})
    # Counted is what is stored: a line's end takes two bytes.
    with pytest.raises(ValidationError, match="at most"):
        ScriptCode(code="\n" * (MAX_BYTES // 2))
    with pytest.raises(ValidationError, match="unicode"):
        ScriptCode(code="'\ud800'")


def test_what_ran_last_is_not_said_to_run() -> None:
    stored = {"state": "undeployed", "version": 4, "url": "http://x", "deployment": "d1", "entries": []}
    assert shown_state(stored).wire() == {
        "state": "undeployed",
        "entries": [],
        "deployment": "d1",
        "breaker": {"state": "closed", "failures": 0},
    }
    shown = shown_state(
        {"state": "deployed", "version": 4, "breaker": {"state": "open", "failures": 5, "further": [1]}}
    )
    assert (shown.version, shown.breaker.state, shown.breaker.failures) == (4, "open", 5)
