"""The zip of a script's version: what stands in it, that it is the same each time, what is refused."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from shared.errors import Rejected
from shared.script_package import MAX_BYTES, MAX_FILES, Source, build, contents, function_id, requirements

HOST = {"fulcrum/__init__.py": b"", "fulcrum/script/serve.py": b"script = None\n"}
PINS = "# the host\nmsgspec==0.22.0\nuvicorn==0.54.0\n"


def source(**fields: object) -> Source:
    """A version of a script with some fields of its own."""
    return Source("farm", "s1", 3, "def run(message, context): ...\n", **fields)  # type: ignore[arg-type]


def test_zip_holds_host_code_requirements_and_manifest() -> None:
    made = build(
        source(files={"lib/units.py": "K = 273.15\n"}, requirements="idna==3.20\n", limits={"memoryMb": 64}),
        HOST,
        PINS,
    )
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert sorted(files) == list(files)
    assert files["code/main.py"] == b"def run(message, context): ...\n"
    assert files["code/lib/units.py"] == b"K = 273.15\n"
    assert files["fulcrum/script/serve.py"] == b"script = None\n"
    assert b"from fulcrum.script.serve import script\n" in files["main.py"]
    assert files["requirements.txt"] == b"msgspec==0.22.0\nuvicorn==0.54.0\nidna==3.20\n"
    assert json.loads(files["manifest.json"]) == {
        "scriptId": "s1",
        "projectId": "farm",
        "version": 3,
        "limits": {"memoryMb": 64},
    }


def test_same_version_gives_the_same_bytes() -> None:
    one = source(files={"a.py": "1", "b.py": "2"}, limits={"a": 1, "b": 2})
    other = source(files={"b.py": "2", "a.py": "1"}, limits={"b": 2, "a": 1})
    assert build(one, HOST, PINS) == build(other, dict(reversed(HOST.items())), PINS)
    assert build(source(), HOST, PINS) != build(source(requirements="idna"), HOST, PINS)


def test_requirements_repeat_no_line_and_keep_addresses_whole() -> None:
    own = "msgspec==0.22.0  # as the host\n\nidna==3.20\nthing @ https://example.com/thing.whl#sha256=1\n"
    assert requirements(PINS, own).splitlines() == [
        "msgspec==0.22.0",
        "uvicorn==0.54.0",
        "idna==3.20",
        "thing @ https://example.com/thing.whl#sha256=1",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "main.py",
        "/etc/passwd",
        "../main.py",
        "a/../../b.py",
        "a//b.py",
        "./a.py",
        "a\\b.py",
        ".env",
        "a/",
    ],
)
def test_file_that_would_stand_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(Rejected) as caught:
        contents(source(files={path: "x"}), HOST, PINS)
    assert caught.value.error_type == "script.badFile"


@pytest.mark.parametrize(
    "files", [{"big.py": "x" * MAX_BYTES}, {f"f{number}.py": "" for number in range(MAX_FILES + 1)}]
)
def test_too_much_is_refused(files: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        contents(source(files=files), HOST, PINS)
    assert caught.value.error_type == "script.tooLarge"


def test_function_is_named_by_project_and_script() -> None:
    assert function_id("a", "b") == function_id("a", "b")
    assert (
        len({function_id("a", "b"), function_id("b", "a"), function_id("ab", ""), function_id("", "ab")}) == 4
    )
    name = function_id("farm", "5aB")
    assert name == name.lower()
    assert len(name) < 50
