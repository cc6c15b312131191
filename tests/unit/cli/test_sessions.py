"""Signing in, keeping a session, refreshing it, and giving its token to nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from local.processes import ROOT
from tests.unit.cli.conftest import LATER, Run
from tests.unit.cli.fake_api import Answer, FakeApi, Seen, problem, signed_in

PASSWORD = "correct horse battery"


def test_login_takes_the_password_from_stdin_and_keeps_the_session_for_its_owner_alone(
    run: Run, api: FakeApi, config: Path
) -> None:
    api.on("POST", "/v1/login", signed_in("a", LATER))
    ended = run("login", "--url", api.url, "-u", "ada", "--project", "p", stdin=f"{PASSWORD}\n")
    assert ended.code == 0, ended.err
    assert api.seen[0].json == {"username": "ada", "password": PASSWORD, "projectId": "p"}
    assert "authorization" not in api.seen[0].headers
    assert config.stat().st_mode & 0o777 == 0o600
    assert config.parent.stat().st_mode & 0o777 == 0o700
    kept = json.loads(config.read_text())["profiles"]["default"]
    assert (kept["id_token"], kept["project"]) == ("id-a", "p")
    assert PASSWORD not in config.read_text() + ended.out + ended.err
    assert "id-a" not in ended.out + ended.err


def test_no_option_takes_a_password(run: Run) -> None:
    for command in ("login", "setup"):
        assert "--password" not in run(command, "--help").out


def test_setup_of_a_local_stack_reads_its_token_and_signs_in(
    run: Run, api: FakeApi, tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stack.env").write_text(f"A=b=c\nFULCRUM_URL={api.url}\nFULCRUM_SETUP_TOKEN=tok\n")
    monkeypatch.setenv("FULCRUM_PASSWORD", PASSWORD)
    api.on("POST", "/v1/setup", {"id": "u1", "username": "ada"}, 201)
    api.on("POST", "/v1/login", signed_in("a", LATER))
    ended = run("setup", "--stack", str(tmp_path), "-u", "ada")
    assert ended.code == 0, ended.err
    assert api.seen[0].json == {"token": "tok", "username": "ada", "password": PASSWORD}
    assert json.loads(config.read_text())["profiles"]["default"]["url"] == api.url
    missing = run("setup", "--stack", str(tmp_path / "none"), "-u", "ada")
    assert missing.code == 1
    assert "make run" in missing.err


def test_a_token_near_its_end_is_replaced_before_it_is_used(
    run: Run, api: FakeApi, profile: Callable[..., None], config: Path
) -> None:
    profile(expires=1)
    api.on("POST", "/v1/login/refresh", signed_in("second", LATER))
    api.on("GET", "/v1/project", {"count": 0, "perPage": 50, "items": []})
    assert run("project", "list").code == 0
    refresh, asked = api.seen
    assert refresh.json == {"refreshToken": "refresh-first"}
    assert asked.headers["authorization"] == "Bearer id-second"
    assert json.loads(config.read_text())["profiles"]["default"]["refresh_token"] == "refresh-second"


def test_a_token_that_the_api_refuses_is_replaced_once(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    api.on("POST", "/v1/login/refresh", signed_in("second", LATER))
    api.refuse("GET", "/v1/project", 401, "auth.expired")
    ended = run("project", "list")
    assert ended.code == 3
    assert "fulcrum login" in ended.err
    assert [seen.path for seen in api.seen] == ["/v1/project", "/v1/login/refresh", "/v1/project"]


def test_a_session_that_has_ended_says_so_and_is_forgotten(
    run: Run, api: FakeApi, profile: Callable[..., None], config: Path
) -> None:
    profile(expires=1)
    api.refuse("POST", "/v1/login/refresh", 401, "session.reused")
    ended = run("project", "list")
    assert ended.code == 3
    assert "the session has ended" in ended.err
    assert "id_token" not in json.loads(config.read_text())["profiles"]["default"]


@pytest.mark.parametrize("commands", [2, 4])
def test_of_commands_at_once_one_refreshes_for_all(
    commands: int, api: FakeApi, profile: Callable[..., None], config: Path
) -> None:
    profile(expires=1)
    used: set[str] = set()
    turn = threading.Lock()

    def refresh(seen: Seen) -> Answer:
        with turn:
            token = seen.json["refreshToken"]
            if token in used:
                return Answer(401, problem(401, "session.reused"))
            used.add(token)
            return Answer(200, signed_in(f"{len(used)}", LATER))

    api.answers["POST", "/v1/login/refresh"] = refresh
    api.on("GET", "/v1/project", {"count": 0, "perPage": 50, "items": []})
    line = [sys.executable, "-m", "fulcrum", "project", "list", "--json"]
    env = {**os.environ, "FULCRUM_CONFIG": str(config)}
    running = [subprocess.Popen(line, cwd=ROOT, env=env, stdout=subprocess.PIPE) for _ in range(commands)]
    ends = [(one.communicate(timeout=60)[0], one.returncode) for one in running]
    assert [code for _, code in ends] == [0] * commands
    assert used == {"refresh-first"}
    assert {s.headers["authorization"] for s in api.seen if s.path == "/v1/project"} == {"Bearer id-1"}


def test_the_environment_stands_above_the_profile_and_no_token_goes_elsewhere(
    run: Run, api: FakeApi, profile: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile(url="https://fulcrum.example.com")
    api.on("GET", "/v1/project", {"count": 0, "perPage": 50, "items": []})
    monkeypatch.setenv("FULCRUM_URL", api.url)
    assert run("project", "list").code == 0
    assert "authorization" not in api.seen[0].headers, "the session is of another address"
    monkeypatch.setenv("FULCRUM_TOKEN", "fa_key")
    monkeypatch.setenv("FULCRUM_PROJECT", "q")
    assert run("project", "list").code == 0
    assert api.seen[1].headers["authorization"] == "Bearer fa_key"
    assert api.seen[1].headers["x-fulcrum-project"] == "q"


def test_use_keeps_a_project_that_there_is(
    run: Run, api: FakeApi, profile: Callable[..., None], config: Path
) -> None:
    api.on("GET", "/v1/project/q", {"id": "q", "name": "Größe"})
    assert "Größe (q)" in run("use", "q").err
    assert json.loads(config.read_text())["profiles"]["default"]["project"] == "q"
    api.refuse("GET", "/v1/project/none", 404, "project.notFound")
    assert run("use", "none").code == 4
    assert json.loads(config.read_text())["profiles"]["default"]["project"] == "q"


def test_logout_ends_the_session_on_both_sides(
    run: Run, api: FakeApi, profile: Callable[..., None], config: Path
) -> None:
    api.on("POST", "/v1/logout", {"status": "done"})
    assert run("logout").code == 0
    assert api.seen[0].headers["authorization"] == "Bearer id-first"
    assert "refresh" not in config.read_text()
    assert "nobody is signed in" in run("logout").err


def test_status_says_who_and_where(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.on("GET", "/v1/about", {"name": "fulcrum", "version": "1"})
    api.on("GET", "/v1/user/me", {"id": "u1", "username": "ada"})
    assert run("status", "--json").json == {"url": api.url, "version": "1", "project": "p", "user": "ada"}
    profile(id_token="", refresh_token="")
    assert run("status").code == 3


@pytest.mark.parametrize("text", ["{", "[]", '{"profiles": 3}'])
def test_a_broken_config_file_says_what_to_do(run: Run, config: Path, text: str) -> None:
    config.parent.mkdir()
    config.write_text(text)
    ended = run("project", "list")
    assert ended.code == 1
    assert str(config) in ended.err
    assert "remove it" in ended.err
