"""A script is checked by its author's mypy, and completed by his editor, as the package is published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.processes import ROOT

RIGHT = """
from datetime import timedelta

from fulcrum.script import Context, Message, Result, needs


@needs("deviceData", "cache", params=["limit"])
def run(message: Message, context: Context) -> Result:
    limit: float = context.params["limit"]
    warm = [w for w in message.get("data", []) if w["path"] == "temperature" and w["value"] > limit]
    if warm and not context.cache.get("warm"):
        context.set_cache({"warm": True})
        context.send_sms("too warm", to=["+4712345678"])
        context.send_email("Too warm", to="a@example.com", text=f"at {context.now:%H:%M}")
        context.set_device_data({"alarm": context.random.random()}, time=context.time)
        context.set_timer("later", delay=timedelta(minutes=5), entry="later")
    if message["type"] == "reasonRunScript":
        return False
    return {**message, "data": [*message["data"], {"path": "seen", "value": True}]}


@needs("device", cache=True)
async def later(message: Message, context: Context) -> Result:
    context.log(context.device["name"], message.get("timerId"))
    message["data"] = []
    return message
"""

WRONG = {
    "context.send_smss('x')": '"send_smss"',
    "context.set_timer(5)": "incompatible type",
    "return 5": "Incompatible return value",
    "context.now + 1": "Unsupported operand",
    "message['deviceID']": 'has no key "deviceID"',
    "context.set_device_data()": 'Missing positional argument "values"',
}


def checked(folder: Path, text: str, extra: str = "") -> tuple[int, str]:
    """mypy's status and words about a script, as in a customer's folder."""
    path = folder / "main.py"
    path.write_text(text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"),
            # One for all, so that the package itself is read once.
            *("--cache-dir", str(folder.parent / "mypy"), str(path), *extra.split()),
        ],
        cwd=folder,
        env={"MYPYPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_script_is_typed(tmp_path: Path) -> None:
    assert checked(tmp_path, RIGHT) == (0, "")
    lines = "\n".join(
        f"def f{number}(message: Message, context: Context) -> Result:\n    {line}\n    return None"
        for number, line in enumerate(WRONG)
    )
    status, said = checked(tmp_path, f"from fulcrum.script import Context, Message, Result, needs\n{lines}\n")
    assert status == 1
    for number, words in enumerate(WRONG.values()):
        found = [line for line in said.splitlines() if f"main.py:{3 + 3 * number}: error" in line]
        assert len(found) == 1
        assert words in found[0]
    status, said = checked(tmp_path, "from fulcrum.script import needs\n@needs('devices')\ndef run(): ...\n")
    assert status == 1
    assert 'Argument 1 to "needs"' in said


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "fulcrum" / "py.typed").is_file()


def test_what_a_script_imports_is_light_until_it_is_used() -> None:
    code = (
        "import sys, fulcrum.script\n"
        "print(sorted(name for name in sys.modules if name.startswith(('fulcrum', 'msgspec', 'random'))))\n"
        "print(fulcrum.script.needs.__module__, fulcrum.script.Context.__name__, fulcrum.script.Message)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == "['fulcrum', 'fulcrum.script']"
    assert second == "fulcrum.script.needing Context <class 'fulcrum.script.types.Message'>"
