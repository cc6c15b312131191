"""Calls of functions: who may, what a process sees, and what becomes of one that hangs, dies or is idle."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from google.api_core import exceptions
from google.iam.v1 import iam_policy_pb2, policy_pb2

from local import ports
from tests.support.emulators import embedded
from tests.support.functions_api import INVOKER, PARENT, FunctionsApi, clients, functions_api, hello, zipped

_HEAD = "import json, os, threading, time\nimport functions_framework\n\n@functions_framework.http\n"
_SEES = _HEAD + "def hello(request):\n    return json.dumps(dict(os.environ))\n"
_OBEYS = _HEAD + (
    "def hello(request):\n"
    "    order = request.get_data(as_text=True)\n"
    "    if order == 'hang':\n        time.sleep(600)\n"
    "    if order == 'die':\n        os.kill(os.getppid(), 9)\n        os._exit(1)\n"
    "    return f'{order} {request.path} {request.query_string.decode()} {request.headers.get(\"X-Own\")}'\n"
)
_COUNTS = _HEAD + (
    "def hello(request):\n"
    "    global inside\n"
    "    inside += 1\n    time.sleep(0.1)\n    seen = inside\n    inside -= 1\n"
    "    return str(seen)\n\ninside = 0\n"
)


def test_nobody_may_call_until_somebody_has_the_right(api: FunctionsApi) -> None:
    api.finished(api.create("private", hello("secret")))
    refused = api.call("private")
    assert (refused.status_code, "secret" in refused.text) == (403, False)
    api.allow("private")
    assert api.call("private").text == "secret"
    api.run.set_iam_policy(iam_policy_pb2.SetIamPolicyRequest(resource=f"{PARENT}/services/private"))
    assert api.call("private").status_code == 403
    assert api.call("no-such-function").status_code == 404


def test_policy_is_changed_as_it_was_read(api: FunctionsApi) -> None:
    api.finished(api.create("policy", hello("x")))
    resource = f"{PARENT}/services/policy"
    read = api.run.get_iam_policy(iam_policy_pb2.GetIamPolicyRequest(resource=resource))
    read.bindings.add(role="roles/run.invoker", members=[INVOKER])
    set_policy = api.run.set_iam_policy
    first = set_policy(iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=read))
    assert [list(binding.members) for binding in first.bindings] == [[INVOKER]]
    with pytest.raises(exceptions.Aborted, match="concurrent policy changes"):
        set_policy(iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=read))
    bad = policy_pb2.Policy()
    bad.bindings.add(role="roles/run.invoker", members=["reason"])
    with pytest.raises(exceptions.InvalidArgument, match="Invalid member"):
        set_policy(iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=bad))
    with pytest.raises(exceptions.NotFound):
        api.run.get_iam_policy(iam_policy_pb2.GetIamPolicyRequest(resource=f"{PARENT}/services/none"))


def test_process_sees_what_cloud_functions_gives_and_nothing_else(api: FunctionsApi) -> None:
    api.serve("sees", zipped({"main.py": _SEES}), environment_variables={"OWN": "1"})
    seen = json.loads(api.call("sees").text)
    # What a server sets for its own workers is none of ours.
    seen = {key: value for key, value in seen.items() if not key.startswith(("SERVER_", "WERKZEUG_"))}
    assert seen.pop("OWN") == "1"
    assert (seen["K_SERVICE"], seen["FUNCTION_TARGET"]) == ("sees", "hello")
    given = {"FUNCTION_SIGNATURE_TYPE", "K_CONFIGURATION", "K_REVISION", "PORT", "PATH", "HOME", "LANG"}
    assert set(seen) <= given | {"K_SERVICE", "FUNCTION_TARGET", "PYTHONUNBUFFERED", "LC_CTYPE"}


def test_call_is_passed_on_as_it_came(api: FunctionsApi) -> None:
    api.serve("passes", zipped({"main.py": _OBEYS}))
    answer = httpx.post(f"{api.address.http}/passes/a/b?c=d", content="say", headers={"X-Own": "e"})
    assert answer.text == "say /a/b c=d e"


def test_function_that_hangs_is_killed_and_starts_again(api: FunctionsApi) -> None:
    api.serve("hangs", zipped({"main.py": _OBEYS}), timeout_seconds=1)
    before = api.pid("hangs")
    assert before is not None
    assert api.call("hangs", content="hang").status_code == 504
    assert not psutil.pid_exists(before) or psutil.Process(before).status() == psutil.STATUS_ZOMBIE
    assert api.call("hangs", content="again").text.startswith("again")
    assert api.pid("hangs") not in (None, before)


def test_function_that_dies_starts_again_with_the_next_call(api: FunctionsApi) -> None:
    api.serve("dies", zipped({"main.py": _OBEYS}))
    before = api.pid("dies")
    answer = api.call("dies", content="die")
    assert (answer.status_code, "connection to the instance had an error" in answer.text) == (503, True)
    assert api.call("dies", content="again").text.startswith("again")
    assert api.pid("dies") != before


@pytest.mark.parametrize(("places", "most"), [(1, 1), (4, 4)])
def test_calls_wait_for_a_place(api: FunctionsApi, places: int, most: int) -> None:
    name = f"places-{places}"
    archive = zipped({"main.py": _COUNTS})
    api.serve(name, archive, max_instance_request_concurrency=places, available_cpu="1")
    with ThreadPoolExecutor(8) as threads:
        seen = [int(answer.text) for answer in threads.map(lambda _: api.call(name), range(8))]
    assert 1 <= max(seen) <= most


def test_faults_are_injected_into_calls_methods_and_uploads(api: FunctionsApi) -> None:
    api.serve("faulty", hello("x"))
    api.faults(
        {"method": "Call", "error_rate": 1}, {"method": "GetFunction", "error_rate": 1, "code": "INTERNAL"}
    )
    assert api.call("faulty").status_code == 503
    with pytest.raises(exceptions.InternalServerError):
        api.get("faulty")
    api.faults({"method": "Upload", "error_rate": 1})
    url = api.functions.generate_upload_url(request={"parent": PARENT}).upload_url
    kind = {"content-type": "application/zip"}
    assert httpx.put(url, content=b"x", headers=kind).status_code == 503
    api.faults()
    assert httpx.put(url, content=b"x", headers=kind).status_code == 200
    counted = httpx.get(f"{api.address.http}/calls").json()
    assert counted["Call"] >= 1
    assert counted["Upload"] >= 2


def test_idle_function_ends_and_starts_again() -> None:
    with functions_api("--idle-seconds", "0.3") as api:
        api.serve("idle", hello("x"))
        deadline = time.monotonic() + 20
        while api.pid("idle") is not None:
            assert time.monotonic() < deadline, "it does not end"
            time.sleep(0.05)
        assert api.call("idle").text == "x"


def test_reset_forgets_functions_and_ends_their_processes() -> None:
    with functions_api() as api:
        api.serve("gone", hello("x"))
        pid = api.pid("gone")
        httpx.post(f"{api.address.http}/reset").raise_for_status()
        assert list(api.functions.list_functions(parent=PARENT)) == []
        assert api.call("gone").status_code == 404
        assert pid is not None
        assert not psutil.pid_exists(pid)


def test_what_was_deployed_serves_again_after_a_kill(tmp_path: Path) -> None:
    options = ["--data", str(tmp_path)]
    with functions_api(*options) as api:
        api.serve("kept", hello("x"))
        url = api.get("kept").service_config.uri
        # Begun, and cut off before its end.
        slow = zipped({"main.py": "import time\ntime.sleep(2)\n" + _OBEYS})
        operation = api.update("kept", slow)
        pid = api.pid("kept")
    # It was killed with SIGKILL, and what it had started with it.
    assert pid is not None
    _gone(pid)
    with functions_api(*options) as api:
        assert httpx.post(url).text == "x", "the same URL, the old revision"
        assert not api.finished(operation).HasField("error"), "the operation goes on"
        assert httpx.post(url, content="new").text.startswith("new")


def _gone(pid: int) -> None:
    """Wait until a process is no more."""
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.02)


def test_taken_port_is_told(tmp_path: Path) -> None:
    port = ports.reserve()
    (tmp_path / "http-port").write_text(str(port.port))
    port.release()
    variables = {"GRPC_ENABLE_FORK_SUPPORT": "0"}
    with embedded("functions", "--data", str(tmp_path), env=variables) as first, clients(first):
        assert first.http.endswith(f":{port.port}")
