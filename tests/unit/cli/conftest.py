"""The command, run through its true entry, against a server that answers as it is told."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fulcrum.cli.main import main
from tests.unit.cli.fake_api import FakeApi, serving

LATER = 4_102_444_800_000


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote, as JSON."""
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The server."""
    with serving() as made:
        yield made


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config file of the test's own; nothing of the environment is heard."""
    for name in ("URL", "TOKEN", "PROJECT", "PASSWORD", "PROFILE", "KEY", "INGEST_URL", "SETUP_TOKEN"):
        monkeypatch.delenv(f"FULCRUM_{name}", raising=False)
    monkeypatch.setenv("FULCRUM_CONFIG", str(tmp_path / "home" / "config.json"))
    return tmp_path / "home" / "config.json"


@pytest.fixture
def run(config: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line; ``stdin`` is what it may read."""

    def ran(*words: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["fulcrum", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return ran


@pytest.fixture
def profile(config: Path, api: FakeApi) -> Callable[..., None]:
    """Writes a profile that is signed in to the server, and works in the project ``p``."""

    def written(**fields: Any) -> None:
        known = {
            "url": api.url,
            "project": "p",
            "username": "ada",
            "id_token": "id-first",
            "refresh_token": "refresh-first",
            "expires": LATER,
            "refresh_expires": LATER,
        }
        config.parent.mkdir(exist_ok=True)
        config.write_text(json.dumps({"profiles": {"default": known | fields}}))

    written()
    return written
