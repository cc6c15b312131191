"""A project's document as a folder of YAML: the same comes back, and what is wrong says where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fulcrum.cli import code_folder
from fulcrum.cli.problems import Problem
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import FakeApi

DOCUMENT: dict[str, Any] = {
    "format": 1,
    "project": {"name": "Gärten", "metadata": {"since": "2026-01-01", "on": "yes", "n": 1.5}},
    "messageRoutes": [{"name": "a b", "route": {}}, {"name": "a/../b", "route": {"x": ["writer"]}}],
    "blueprints": [{"alias": "coldStore", "name": "Cold", "attributes": [{"path": "a/b", "type": "number"}]}],
    "networks": [],
    "systems": [],
    "templates": [],
    "scripts": [{"alias": "tooWarm", "name": "Too warm", "code": "def run(m, c):\n\treturn None\n"}],
    "timers": [{"name": "Nightly", "timer": {"type": "scheduled", "cron": "0 2 * * *"}, "action": {}}],
    "roles": [{"name": "operator", "permissions": ["device.read"]}],
}
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_the_same_document_comes_back(tmp_path: Path) -> None:
    written = code_folder.write(tmp_path / "code", DOCUMENT, "b1")
    assert code_folder.read(tmp_path / "code") == (DOCUMENT, "b1")
    assert {str(path) for path in written} == {
        "fulcrum.lock", "fulcrum.yaml", "messageRoutes/a-b.yaml", "messageRoutes/a-b-2.yaml",
        "blueprints/coldStore.yaml", "scripts/tooWarm.py", "scripts/tooWarm.yaml", "timers/Nightly.yaml",
        "roles/operator.yaml",
    }  # fmt: skip
    assert (tmp_path / "code" / "scripts" / "tooWarm.py").read_text() == DOCUMENT["scripts"][0]["code"]


@example({"\x85": "\x85", "a\u2028b": "c\u2029\n", "\ufeff": " \n x"})
@settings(max_examples=25)
@given(metadata=st.dictionaries(st.text(max_size=8), _json, max_size=4))
def test_any_values_come_back(tmp_path: Path, metadata: dict[str, Any]) -> None:
    document = DOCUMENT | {"systems": [{"alias": "north", "name": "N", "metadata": metadata}]}
    code_folder.write(tmp_path / "code", document, "b1")
    assert code_folder.read(tmp_path / "code")[0] == document


def test_what_is_gone_from_the_project_goes_from_the_folder(tmp_path: Path) -> None:
    code_folder.write(tmp_path, DOCUMENT, "b1")
    (tmp_path / "blueprints" / "notes.txt").write_text("mine")
    code_folder.write(tmp_path, DOCUMENT | {"blueprints": [], "scripts": []}, "b2")
    assert code_folder.read(tmp_path) == (DOCUMENT | {"blueprints": [], "scripts": []}, "b2")
    assert [path.name for path in (tmp_path / "blueprints").iterdir()] == ["notes.txt"]


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(Problem, match="holds something else"):
        code_folder.write(tmp_path, DOCUMENT, "b1")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("fulcrum.yaml", "format: [", "fulcrum.yaml"),
        ("fulcrum.yaml", "- 1\n", "holds no object"),
        ("fulcrum.yaml", "format: 1\nblueprints: []\n", "blueprints"),
        ("blueprints/x.yaml", "just text\n", "x.yaml holds no object"),
        ("blueprints/x.yaml", "a: !!python/object:os.system {}\n", "x.yaml"),
        ("scripts/x.yaml", "alias: x\n", "x.py is missing"),
        ("blueprints/x.yml", "alias: x\n", "x.yml would not be read"),
        ("blueprints/x.yaml", "alias: x\nmax: 1\nmax: 2\n", "'max' stands twice"),
        ("blueprints/x.yaml", "a: {b: 1, b: 2}\n", "'b' stands twice"),
        ("blueprints/x.yaml", "a: .nan\n", "nan is no number"),
        ("blueprints/x.yaml", "a: [-.inf]\n", "inf is no number"),
        ("blueprints/x.yaml", "a: !!timestamp 2020-01-01\n", "is a date"),
        ("blueprints/x.yaml", "a: !!timestamp 2020-99-01\n", "x.yaml"),
        ("blueprints/x.yaml", "a: !!binary aGk=\n", "is a bytes"),
        ("blueprints/x.yaml", "a: !!set {b}\n", "is a set"),
        ("blueprints/x.yaml", "on: 1\n", "True is no text"),
        ("blueprints/x.yaml", "a: &a [*a]\n", "leads into itself"),
        ("blueprints/x.yaml", "a: " + "[" * 5000 + "\n", "x.yaml"),
        ("blueprints/x.yaml", 'a: "\\ud800"\n', "surrogate"),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, file: str, text: str, said: str) -> None:
    code_folder.write(tmp_path, DOCUMENT, "b1")
    (tmp_path / file).write_text(text)
    with pytest.raises(Problem, match=said):
        code_folder.read(tmp_path)


def test_a_folder_that_is_none_is_told(run: Run, api: FakeApi, tmp_path: Path) -> None:
    ended = run("plan", str(tmp_path / "nowhere"), "--project", "p")
    assert ended.code == 2
    assert "fulcrum export" in ended.err


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    code_folder.write(tmp_path, DOCUMENT, "b1")
    path = tmp_path / "blueprints" / "x.yaml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(Problem, match=r"x\.yaml cannot be read"):
        code_folder.read(tmp_path)


def test_code_comes_back_to_the_byte_whatever_ends_its_lines(tmp_path: Path) -> None:
    script = {"alias": "s", "name": "S", "code": "def run(m, c):\r\n    return 1\r\x0b\n"}
    document = DOCUMENT | {"scripts": [script]}
    code_folder.write(tmp_path, document, "b1")
    assert code_folder.read(tmp_path)[0] == document


def test_somebody_s_own_code_beside_a_script_stays(tmp_path: Path) -> None:
    code_folder.write(tmp_path, DOCUMENT, "b1")
    (tmp_path / "scripts" / "test_tooWarm.py").write_text("mine")
    code_folder.write(tmp_path, DOCUMENT | {"scripts": []}, "b2")
    assert [path.name for path in (tmp_path / "scripts").iterdir()] == ["test_tooWarm.py"]


SEVERAL = {
    "alias": "several",
    "name": "Several",
    "code": "def run(m, c):\r\n    return 1",
    "files": {"lib/limits.py": "WARM = 8\n", "table.csv": "a\r\n", "notes.md": "n", "test_x.py": "y"},
    "requirements": "geographiclib==2.1\n",
}


def test_a_script_of_several_files_has_a_folder(tmp_path: Path) -> None:
    document = DOCUMENT | {"scripts": [SEVERAL, *DOCUMENT["scripts"]]}
    code_folder.write(tmp_path, document, "b1")
    inner = tmp_path / "scripts" / "several"
    assert (inner / "lib" / "limits.py").read_text() == "WARM = 8\n"
    assert (inner / "requirements.txt").read_text() == "geographiclib==2.1\n"
    # What would be taken for a test or for notes stands in the YAML.
    assert not (inner / "test_x.py").exists()
    assert code_folder.read(tmp_path)[0] == document


def test_what_a_script_no_longer_has_is_removed_and_its_tests_stay(tmp_path: Path) -> None:
    code_folder.write(tmp_path, DOCUMENT | {"scripts": [SEVERAL]}, "b1")
    inner = tmp_path / "scripts" / "several"
    (inner / "test_main.py").write_text("mine")
    fewer = SEVERAL | {"files": {"table.csv": "b\n"}, "requirements": ""}
    del fewer["requirements"]
    code_folder.write(tmp_path, DOCUMENT | {"scripts": [fewer]}, "b2")
    left = sorted(path.relative_to(inner).as_posix() for path in inner.rglob("*") if path.is_file())
    assert left == ["main.py", "table.csv", "test_main.py"]
    assert code_folder.read(tmp_path)[0]["scripts"] == [fewer]
    single = {"alias": "several", "name": "Several", "code": "def run(m, c):\n    return 2\n"}
    code_folder.write(tmp_path, DOCUMENT | {"scripts": [single]}, "b3")
    assert code_folder.read(tmp_path)[0]["scripts"] == [single]
    assert (inner / "test_main.py").read_text() == "mine"


def test_a_script_has_one_main_file(tmp_path: Path) -> None:
    code_folder.write(tmp_path, DOCUMENT | {"scripts": [SEVERAL]}, "b1")
    (tmp_path / "scripts" / "several.py").write_text("x")
    with pytest.raises(Problem, match="both the code"):
        code_folder.read(tmp_path)
