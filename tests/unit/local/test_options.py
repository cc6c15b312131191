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
        Options(emulators="google", project="p", services=Path("/f/services.yaml"), leash=True, port=9),
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
    ],
)
def test_what_cannot_be_is_refused(
    line: list[str], env: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(line, env)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
