"""A script's life from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fulcrum.cli.problems import Problem
from fulcrum.cli.scripts import source
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import Answer, FakeApi, Seen

ID = "3Vc8Qn0kZ5tWb1yLr7sXe2"
PATH = f"/v1/script/{ID}"
CODE = "def run(message, context):\n    return None\n"


@pytest.fixture
def script(api: FakeApi, profile: Callable[..., None]) -> FakeApi:
    """A server with a script ``tooWarm``."""

    def listed(seen: Seen) -> Answer:
        found = [{"id": ID, "alias": "tooWarm"}] if seen.query["alias"] == "tooWarm" else []
        return Answer(200, {"count": len(found), "items": found})

    api.answers["GET", "/v1/project/p/scripts"] = listed
    return api


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "main.py": CODE,
        "lib/limits.py": "WARM = 8\n",
        "table.csv": "a,b\n",
        "requirements.txt": "geographiclib==2.1\n",
        "script.yaml": "name: Too warm\ndesc: Tells when it is\nalias: other\n",
        "test_main.py": "",
        "events/first.event.yaml": "",
        "README.md": "",
        ".git/config": "",
        "__pycache__/main.cpython-311.pyc": "",
    }
    for name, text in files.items():
        path = tmp_path / "warm" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "warm"


def deployment(state: str, **more: Any) -> dict[str, Any]:
    fields = {"id": "d1", "scriptId": ID, "version": 3, "action": "deploy", "state": state, "progress": 10}
    return fields | more


def steps(*found: dict[str, Any]) -> Callable[[Seen], Answer]:
    left: Iterator[dict[str, Any]] = iter(found)
    return lambda seen: Answer(200, next(left))


def test_a_folder_is_set_without_its_tests_and_events(run: Run, script: FakeApi, folder: Path) -> None:
    script.on("POST", f"{PATH}/setCode", {"id": ID})
    ended = run("script", "set-code", "tooWarm", str(folder))
    assert ended.code == 0, ended.err
    assert ended.out == "the draft of tooWarm is set, with 2 more files and requirements\n"
    assert script.seen[-1].json == {
        "code": CODE,
        "files": {"lib/limits.py": "WARM = 8\n", "table.csv": "a,b\n"},
        "requirements": "geographiclib==2.1\n",
    }


def test_a_file_is_set_alone(run: Run, script: FakeApi, folder: Path) -> None:
    script.on("POST", f"{PATH}/setCode", {"id": ID})
    ended = run("script", "set-code", "tooWarm", str(folder / "main.py"), "--json")
    assert ended.json == {"id": ID}
    assert script.seen[-1].json == {"code": CODE, "files": {}, "requirements": ""}


def test_a_script_that_is_not_there_is_created_if_asked(run: Run, script: FakeApi, folder: Path) -> None:
    script.on("POST", "/v1/project/p/scripts", {"id": ID}, 201)
    refused = run("script", "set-code", "cold", str(folder))
    assert refused.code == 4
    ended = run("script", "set-code", "cold", str(folder), "--create")
    assert ended.code == 0, ended.err
    sent = script.seen[-1].json
    assert (sent["name"], sent["alias"], sent["desc"]) == ("Too warm", "cold", "Tells when it is")
    assert sent["files"]["lib/limits.py"] == "WARM = 8\n"
    assert script.seen[-1].headers["idempotency-key"]


def test_what_is_no_script_is_not_sent(run: Run, script: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("script", "set-code", "tooWarm", str(tmp_path / "empty")).code == 2
    (tmp_path / "main.py").write_text(CODE)
    (tmp_path / "image.png").write_bytes(b"\xff\xfe")
    ended = run("script", "set-code", "tooWarm", str(tmp_path))
    assert (ended.code, script.seen) == (1, [])
    assert "image.png is no text" in ended.err


def test_a_folder_is_written_as_it_is_read(folder: Path, tmp_path: Path) -> None:
    code = source.read(folder)
    source.write(tmp_path / "copy", code)
    assert source.read(tmp_path / "copy") == code


@pytest.mark.parametrize(
    "name", ["../out.py", "lib/../../out.py", "/tmp/out.py", "C:\\out.py", "..", "a\x00b", ".ssh/config"]
)
def test_no_file_of_a_script_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(Problem, match="is no file of a script"):
        source.write(tmp_path / "copy", source.Code(CODE, {"lib/limits.py": "", name: "x"}))
    assert not list(tmp_path.rglob("*.py"))


def test_a_deployment_is_followed_to_its_end(run: Run, script: FakeApi) -> None:
    script.on("POST", f"{PATH}/deploy", deployment("queued"), 202)
    script.answers["GET", f"{PATH}/deployments/d1"] = steps(
        deployment("building", progress=20, message="builds version 3"),
        deployment("building", progress=20, message="builds version 3"),
        deployment("serving", progress=100, message="version 3 serves"),
    )
    ended = run("script", "deploy", "tooWarm", "--note", "colder")
    assert (ended.code, ended.out) == (0, "version 3 of tooWarm: version 3 serves\n")
    assert ended.err == "queued, 10 %\nbuilding, 20 %: builds version 3\n"
    posted = next(seen for seen in script.seen if seen.method == "POST")
    assert posted.json == {"note": "colder"}
    assert posted.headers["idempotency-key"]


def test_a_failed_deployment_shows_the_end_of_its_log(run: Run, script: FakeApi) -> None:
    script.on("POST", f"{PATH}/deploy", deployment("queued"), 202)
    script.answers["GET", f"{PATH}/deployments/d1"] = steps(
        deployment("failed", message="the build failed", log="line 1\nNo matching distribution")
    )
    ended = run("script", "deploy", "tooWarm", "--version", "3", "--json")
    assert (ended.code, ended.json["state"]) == (1, "failed")
    script.on("POST", f"{PATH}/deploy", deployment("failed", message="no", log="line 1\nline 2"), 202)
    ended = run("script", "deploy", "tooWarm")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "    line 1\n    line 2\nversion 3 of tooWarm failed: no\n"


def test_what_a_script_says_as_it_is_deployed_steers_no_terminal(run: Run, script: FakeApi) -> None:
    said = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m"
    script.on("POST", f"{PATH}/deploy", deployment("failed", message=said, log=f"line 1\n{said}"), 202)
    failed = run("script", "deploy", "tooWarm")
    script.on("POST", f"{PATH}/deploy", deployment("serving", message=said), 202)
    served = run("script", "deploy", "tooWarm")
    script.on("POST", f"{PATH}/deploy", {"error": "x.y", "message": said, "description": said}, 400)
    refused = run("script", "deploy", "tooWarm")
    for text in (failed.err, served.out, refused.err):
        assert "52;c;cm0gLXJm" in text
        assert not set(text) & {"\x1b", "\x07", "\x9b"}


def test_nobody_has_to_wait(run: Run, script: FakeApi) -> None:
    for verb, made in (
        ("deploy", deployment("queued")),
        ("rollback", deployment("queued", version=2)),
        ("undeploy", deployment("queued", action="undeploy")),
    ):
        script.on("POST", f"{PATH}/{verb}", made, 202)
        ended = run("script", verb, "tooWarm", "--no-wait")
        assert ended.code == 0, ended.err
        assert "under way" in ended.out
    assert run("script", "rollback", "tooWarm", "2", "--no-wait").code == 0
    assert script.seen[-1].json == {"version": 2}


def test_a_conflict_is_told_by_its_exit_code(run: Run, script: FakeApi) -> None:
    script.refuse("POST", f"{PATH}/undeploy", 409, "script.notDeployed")
    ended = run("script", "undeploy", "tooWarm")
    assert ended.code == 5
    assert "script.notDeployed" in ended.err


def test_versions_say_which_one_runs(run: Run, script: FakeApi) -> None:
    items = [
        {"version": 2, "created": 0, "createdBy": {"name": "ada"}, "entries": [{"name": "run"}], "note": "n"},
        {"version": 1, "created": 0, "entries": []},
    ]
    script.on("GET", f"{PATH}/versions", {"count": 2, "items": items})
    script.on("GET", PATH, {"id": ID, "state": {"state": "deployed", "version": 1}})
    ended = run("script", "versions", "tooWarm")
    assert [line.split()[:2] for line in ended.out.splitlines()[1:]] == [
        ["2", "1970-01-01T00:00:00.000Z"],
        ["1", "runs"],
    ]
    shown = {"version": 2, "code": CODE, "files": {"a.py": "x = 1\n"}, "requirements": ""}
    script.on("GET", f"{PATH}/versions/2", shown)
    assert run("script", "versions", "tooWarm", "2").out == f"==> main.py\n{CODE}==> a.py\nx = 1\n"
    script.on("GET", f"{PATH}/versions/2/difference", {"same": False, "text": "-a\n+b\n"})
    assert run("script", "versions", "tooWarm", "2", "--difference", "1").out == "-a\n+b\n"
    assert script.seen[-1].query == {"against": "1"}
    assert run("script", "versions", "tooWarm", "--difference", "1").code == 2


def test_deployments_are_listed(run: Run, script: FakeApi) -> None:
    items = [
        deployment("building", progress=40, created=0, message="builds"),
        deployment("done", action="undeploy", created=0),
    ]
    script.on("GET", f"{PATH}/deployments", {"count": 2, "items": items})
    lines = run("script", "deployments", "tooWarm").out.splitlines()
    assert "building, 40 %" in lines[1]
    assert "undeploy" in lines[2]


RUNS: list[dict[str, Any]] = [
    {
        "runKey": "b",
        "time": 2000,
        "version": 2,
        "entry": "run",
        "status": "failed",
        "deviceId": "d1",
        "eventId": "e2",
        "lines": [],
        "failure": {"kind": "exception", "type": "KeyError", "message": "air", "traceback": "T\n  line 3"},
    },
    {
        "runKey": "a",
        "time": 1000,
        "version": 2,
        "entry": "run",
        "status": "done",
        "result": "stopped",
        "effects": 2,
        "lines": [{"level": "info", "text": "one\ntwo"}, {"level": "error", "text": "bad \x1b[31m"}],
    },
]


def test_logs_are_read_from_top_to_bottom(run: Run, script: FakeApi) -> None:
    script.on("GET", f"{PATH}/logs", {"count": 2, "items": RUNS, "next": "c"})
    ended = run("script", "logs", "tooWarm", "--level", "error", "--device", "d1", "--since", "5")
    assert ended.out.splitlines() == [
        "1970-01-01T00:00:01.000Z  v2 run  done  stopped  2 effects",
        "    one",
        "    two",
        "    error: bad \\x1b[31m",
        "1970-01-01T00:00:02.000Z  v2 run  failed  device d1  event e2",
        "    T",
        "      line 3",
    ]
    assert script.seen[-1].query == {"perPage": "50", "device": "d1", "level": "error", "since": "5"}
    assert "there is more" in ended.err
    assert run("script", "logs", "tooWarm", "--json").json["items"] == RUNS
    lines = run("script", "logs", "tooWarm", "--jsonl").out.splitlines()
    assert [json.loads(line)["runKey"] for line in lines] == ["a", "b"]


def test_what_comes_is_followed_each_run_once(
    run: Run, script: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 2.5)
    later = RUNS[0] | {"runKey": "c", "time": 3000}
    # Rows come late, and a page may end anywhere.
    pages: list[dict[str, Any]] = [
        {"items": RUNS},
        {"items": [later], "next": "x"},
        {"items": RUNS},
        {"items": [later, RUNS[1]]},
        {"items": [later, later | {"version": 9}]},
    ]
    left = iter(pages)
    gone = {"status": 404, "error": "script.notFound", "message": "m", "description": "d", "requestId": "r"}

    def answer(seen: Seen) -> Answer:
        found = next(left, None)
        return Answer(200, {"count": 0} | found) if found else Answer(404, gone)

    script.answers["GET", f"{PATH}/logs"] = answer
    ended = run("script", "logs", "tooWarm", "--follow", "--jsonl")
    # A run of the next version, of what failed in the one before, is another run.
    assert [json.loads(line)["runKey"] for line in ended.out.splitlines()] == ["a", "b", "c", "c"]
    assert ended.code == 4


def test_metrics_are_a_table_with_all_at_its_end(run: Run, script: FakeApi) -> None:
    figures: dict[str, Any] = {
        "runs": 10,
        "failed": 1,
        "unmet": 2,
        "wallUs": {"p50": 1500, "p95": 2500},
        "cpuUsSum": 9000,
    }
    counts: dict[str, Any] = {"effects": {"sendSms": 3}, "failures": {"timeout": 1}}
    total = figures | counts
    group = total | {"version": 2, "start": 0}
    body = {"total": total, "groups": [], "buckets": [group], "since": 0, "until": 1}
    script.on("GET", f"{PATH}/metrics", body)
    ended = run("script", "metrics", "tooWarm", "--by", "version", "--interval", "1h")
    lines = ended.out.splitlines()
    assert lines[0].split("  ")[0] == "of"
    assert lines[1].split() == [
        *("1970-01-01T00:00:00.000Z", "version", "2", "10", "1", "2", "1.50", "2.50", "9.00", "sendSms", "3")
    ]
    assert lines[2].split()[:2] == ["all", "10"]
    assert lines[3] == "failed by timeout: 1"
    assert script.seen[-1].query["interval"] == "3600000"


def test_an_occasion_is_given_with_its_parameters(run: Run, script: FakeApi) -> None:
    script.on("POST", f"{PATH}/run", {"id": "o1", "status": "accepted"}, 202)
    ended = run("script", "run", "tooWarm", "limit=8", "to/name=ada", "--device", "d1", "--function", "check")
    assert (ended.code, ended.out) == (0, "tooWarm is to run for o1\n")
    assert script.seen[-1].json == {
        "targetFunction": "check",
        "params": {"limit": 8, "to": {"name": "ada"}},
        "deviceId": "d1",
    }
    assert "--event o1" in ended.err


NEEDY = """from fulcrum.script import needs

from lib.limits import WARM


@needs("deviceData", params=["limit"])
def run(message, context):
    context.log("at", context.device_data["temperature"])
    if context.device_data["temperature"] > context.params["limit"]:
        context.send_sms("too warm", to=["+4740000000"])
        return False
    return None


def other(message, context):
    raise KeyError("air")
"""


@pytest.fixture
def needy(folder: Path) -> Path:
    (folder / "main.py").write_text(NEEDY)
    # Not a part of what is deployed.
    (folder / "test_main.py").write_text("def (")
    return folder


def test_a_check_loads_a_script_and_calls_it(run: Run, needy: Path) -> None:
    ended = run("script", "check", str(needy))
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[:3] == [
        "function run needs deviceData, params (limit)",
        "function other",
        "called: not run, it needs params.limit",
    ]
    assert ended.out.splitlines()[-1] == "it can be deployed"
    line = ["script", "check", str(needy), "--param", "limit=8", "--data", '{"temperature": 9}']
    called = run(*line).out.splitlines()
    at = called.index("called: stops the message")
    assert called[at + 1] == "    at 9"
    assert called[at + 2].startswith("    sendSms ")
    found = run(*line, "--json").json
    assert (found["ok"], found["outcome"]["result"], found["outcome"]["effects"][0]["type"]) == (
        True,
        False,
        "sendSms",
    )


def test_a_check_says_what_is_wrong(run: Run, needy: Path) -> None:
    failed = run("script", "check", str(needy), "--function", "other")
    assert failed.code == 1
    assert "KeyError" in failed.out
    assert failed.out.splitlines()[-1] == "it cannot be deployed"
    assert run("script", "check", str(needy), "--data", "3").code == 2
    (needy / "lib" / "limits.py").write_text("WARM = = 8\n")
    ended = run("script", "check", str(needy))
    assert (ended.code, ended.out.splitlines()[0]) == (1, "lib/limits.py:1: problem: invalid syntax")


def test_a_check_does_not_load_what_needs_a_package_that_this_machine_lacks(run: Run, needy: Path) -> None:
    (needy / "main.py").write_text(f"import surely_not_here\n\n{CODE}")
    ended = run("script", "check", str(needy))
    assert (ended.code, ended.out.splitlines()) == (
        0,
        [
            "main.py:1: warning: not loaded: there is no module 'surely_not_here' on this machine; "
            "install the requirements",
            "function run",
            "it can be deployed",
        ],
    )
    # Without a package that may bring it, it is nowhere.
    (needy / "requirements.txt").write_text("# name==version\n")
    assert (
        "main.py:1: problem: there is no module 'surely_not_here'" in run("script", "check", str(needy)).out
    )


def test_a_check_refuses_the_requirements_that_the_api_refuses(run: Run, needy: Path) -> None:
    (needy / "requirements.txt").write_text("geographiclib==2.1\nnumpy\n")
    ended = run("script", "check", str(needy))
    assert ended.code == 1
    assert ended.out.startswith("requirements.txt: problem: line 2: 'numpy': write name==version")


def test_the_api_checks_the_text_alone(run: Run, script: FakeApi, needy: Path) -> None:
    problem = {"file": "main.py", "line": 3, "message": "no"}
    body = {"ok": False, "entries": [{"name": "run"}], "problems": [problem], "warnings": []}
    script.on("POST", f"{PATH}/check", body)
    ended = run("script", "check", str(needy), "--remote", "tooWarm")
    assert (ended.code, ended.out) == (1, "main.py:3: problem: no\nfunction run\nit cannot be deployed\n")
    assert script.seen[-1].json["code"] == NEEDY
    assert "test_main.py" not in script.seen[-1].json["files"]


class Replayed:
    """A replay's report, as the command of that name makes it."""

    def __init__(self, complete: bool = True) -> None:
        self.complete = complete

    def to_json(self) -> dict[str, Any]:
        return {"events": 12}


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replays that were asked for; the report of each says that it came to its end."""
    from fulcrum.cli import output
    from fulcrum.cli.scripts import replay

    asked: list[tuple[Any, ...]] = []

    def compare(connection: Any, script_id: str, path: Any, what: Any, *, progress: bool) -> Replayed:
        asked.append((script_id, path, what.since, what.version))
        return Replayed(complete=what.since != "1h")

    monkeypatch.setattr(replay, "compare", compare)
    monkeypatch.setattr(replay, "show", lambda report: output.line("12 events differ"))
    return asked


def test_what_is_deployed_is_replayed_before(
    run: Run, script: FakeApi, replays: list[tuple[Any, ...]]
) -> None:
    script.on("GET", PATH, {"id": ID, "version": 4})
    script.on("POST", f"{PATH}/deploy", deployment("serving", message="it serves"), 202)
    ended = run("script", "deploy", "tooWarm", "--replay", "7d", "--yes", "--version", "3")
    assert (ended.code, ended.out) == (0, "12 events differ\nversion 3 of tooWarm: it serves\n")
    assert replays == [(ID, None, "7d", 3)]
    as_json = run("script", "deploy", "tooWarm", "--replay", "7d", "--yes", "--json")
    assert as_json.json["state"] == "serving"
    assert json.loads(as_json.err) == {"events": 12}


def test_nothing_is_deployed_where_nobody_can_agree(
    run: Run, script: FakeApi, replays: list[tuple[Any, ...]]
) -> None:
    ended = run("script", "deploy", "tooWarm", "--replay", "7d")
    assert (ended.code, script.seen, replays) == (2, [], [])
    script.on("GET", PATH, {"id": ID, "version": 4})
    cut_short = run("script", "deploy", "tooWarm", "--replay", "1h", "--yes")
    assert cut_short.code == 1
    assert "nothing was deployed" in cut_short.err


def test_a_draft_that_changes_during_its_replay_is_not_deployed(
    run: Run, script: FakeApi, replays: list[tuple[Any, ...]]
) -> None:
    script.answers["GET", PATH] = steps({"id": ID, "version": 4}, {"id": ID, "version": 5})
    ended = run("script", "deploy", "tooWarm", "--replay", "7d", "--yes")
    assert ended.code == 1
    assert "was changed since" in ended.err
    assert not [seen for seen in script.seen if seen.method == "POST"]
