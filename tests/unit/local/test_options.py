"""The command line says what it wants, and refuses what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.options import Options, parse


def test_defaults() -> None:
    options = parse([], {})
    assert options == Options()
    assert options.port is None


def test_environment_chooses_the_emulators() -> None:
    assert parse([], {"EMULATORS": "google"}).emulators == "google"
    assert parse(["--emulators", "embedded"], {"EMULATORS": "google"}).emulators == "embedded"
    assert parse([], {"EMULATORS": ""}).emulators == "embedded"


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(stack_dir=Path("/s"), port=0, data=Path("/d"), idle_seconds=0.5, movable_clock=True),
        Options(emulators="google", project="my-own", services=Path(__file__), leash=True, port=9),
    ],
)
def test_options_survive_the_command_line(options: Options) -> None:
    assert parse(options.arguments(), {}) == options


@pytest.mark.parametrize(
    ("line", "env", "said"),
    [
        (["--emulators", "google", "--data", "d"], {}, "keep no state: leave out --data"),
        (["--emulators", "google", "--clock", "movable"], {}, "a clock of their own"),
        ([], {"EMULATORS": "googel"}, "EMULATORS is 'googel': set it to embedded or google"),
        (["--emulators", "googel"], {}, "invalid choice"),
        (["--port", "x"], {}, "invalid int value"),
        (["--port", "99999"], {}, "99999 is no port"),
        (["--port", "-1"], {}, "-1 is no port"),
        (["--idle-seconds", "-1"], {}, "-1 is no number of seconds"),
        (["--idle-seconds", "nan"], {}, "nan is no number of seconds"),
        (["--idle-seconds", "soon"], {}, "invalid float value"),
        (["--project", "Bad/Name"], {}, "'Bad/Name' is no id of a project"),
        (["--project", ""], {}, "'' is no id of a project"),
        (["--services", "/nowhere.yaml"], {}, "--services /nowhere.yaml: there is no such file"),
        (["--data", __file__], {}, "is no folder"),
        (["--data", f"{__file__}/below"], {}, f"{__file__} is no folder"),
        (["--stack", __file__], {}, "is no folder"),
    ],
)
def test_what_cannot_be_is_refused(
    line: list[str], env: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(line, env)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
