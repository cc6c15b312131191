"""Operations: what is built serves, what is broken changes nothing, errors are the service's."""

from __future__ import annotations

import stat
import zipfile
from typing import Any

import grpc
import httpx
import pytest
from google.api_core import exceptions
from google.cloud import functions_v2
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf.field_mask_pb2 import FieldMask

from tests.support.functions_api import PARENT, FunctionsApi, hello, zipped


def error_of(done: Any) -> Any:
    """The error of an operation that must have failed."""
    assert done.done
    assert done.HasField("error"), done
    return done.error


def stages(done: Any) -> list[tuple[str, str]]:
    """The stages that an operation tells."""
    told = functions_v2.OperationMetadata()
    assert done.metadata.Unpack(functions_v2.OperationMetadata.pb(told))
    return [(stage.name.name, stage.state.name) for stage in told.stages]


def test_function_is_created_called_updated_listed_and_deleted(api: FunctionsApi) -> None:
    done = api.finished(api.create("life", hello("good day"), environment_variables={"A": "b"}))
    assert not done.HasField("error")
    assert stages(done) == [("BUILD", "COMPLETE"), ("SERVICE", "COMPLETE")]
    function = api.get("life")
    assert function.state.name == "ACTIVE"
    assert function.service_config.uri == function.url == f"{api.address.http}/life"
    assert function.service_config.service == f"{PARENT}/services/life"
    api.allow("life")
    assert api.call("life").text == "good day"

    assert not api.finished(api.update("life", hello("good evening"))).HasField("error")
    changed = api.get("life")
    assert api.call("life").text == "good evening"
    assert changed.service_config.revision != function.service_config.revision
    assert dict(changed.service_config.environment_variables) == {"A": "b"}, "what no mask names stays"
    assert changed.create_time == function.create_time
    assert "life" in [item.name.rpartition("/")[2] for item in api.functions.list_functions(parent=PARENT)]

    begun = api.functions.delete_function(name=function.name)
    api.finished(begun.operation.name)
    assert api.call("life").status_code == 404
    with pytest.raises(exceptions.NotFound, match=r"Resource .*/functions/life' was not found"):
        api.get("life")


@pytest.mark.parametrize(
    ("archive", "code", "words"),
    [
        (b"no zip at all", 3, "Build failed with status: FAILURE and message: failed to extract the source"),
        (zipped({"other.py": "x = 1\n"}), 3, "missing main.py and GOOGLE_FUNCTION_SOURCE not specified"),
        (zipped({"main.py": "import nothing_of_that_name\n"}), 3, "No module named 'nothing_of_that_name'"),
        (zipped({"main.py": "def hello(:\n"}), 3, "SyntaxError"),
        (zipped({"main.py": "x = 1\n"}), 3, "is expected to contain a function named"),
        (zipped({"main.py": "import os\nos._exit(3)\n"}), 3, "Container Healthcheck failed"),
        (
            hello("x", **{"requirements.txt": "fulcrum-has-no-such-package==1.0\n"}),
            3,
            "No matching distribution",
        ),
    ],
    # A zip's bytes hold the time at which it was made: no name of a test.
    ids=["no-zip", "no-main", "no-module", "syntax", "no-function", "exit", "no-package"],
)
def test_broken_build_ends_with_the_log_and_the_old_revision_serves(
    api: FunctionsApi, archive: bytes, code: int, words: str, request: pytest.FixtureRequest
) -> None:
    name = "broken"
    try:
        api.get(name)
    except exceptions.NotFound:
        api.serve(name, hello("as before"))
    before = api.get(name)
    error = error_of(api.finished(api.update(name, archive)))
    assert (error.code, words in error.message) == (code, True), error.message
    after = api.get(name)
    assert api.call(name).text == "as before"
    assert after.state.name == "ACTIVE"
    assert after.service_config.revision == before.service_config.revision
    assert words[:20] in after.state_messages[0].message or "Healthcheck" in after.state_messages[0].message


def test_function_that_never_served_has_failed_and_can_be_mended(api: FunctionsApi) -> None:
    error = error_of(api.finished(api.create("never", zipped({"main.py": "1 / 0\n"}))))
    assert (
        "Could not create or update Cloud Run service never, Container Healthcheck failed." in error.message
    )
    assert "ZeroDivisionError" in error.message
    assert api.get("never").state.name == "FAILED"
    assert api.call("never").status_code == 404
    assert not api.finished(api.update("never", hello("mended"))).HasField("error")
    api.allow("never")
    assert api.call("never").text == "mended"


@pytest.mark.parametrize("path", ["../escaped.py", "/escaped.py", "a/../../escaped.py", "a\\..\\escaped.py"])
def test_zip_cannot_write_outside_its_folder(api: FunctionsApi, path: str) -> None:
    archive = zipped({"main.py": "x = 1\n", path: "escaped = True\n"})
    error = error_of(api.finished(api.create(f"slip-{abs(hash(path)) % 10**8}", archive)))
    assert "leaves its folder" in error.message


def test_zip_with_a_link_is_refused(api: FunctionsApi) -> None:
    link = zipfile.ZipInfo("passwd")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = zipped({"main.py": "x = 1\n", link: "/etc/passwd"})
    assert "symbolic link" in error_of(api.finished(api.create("link", archive))).message


def test_second_operation_on_a_function_is_refused_while_one_runs(api: FunctionsApi) -> None:
    api.serve("queue", hello("one"))
    slow = zipped({"main.py": "import time\ntime.sleep(1)\n" + _source("two")})
    first = api.update("queue", slow)
    assert api.get("queue").state.name == "DEPLOYING"
    assert api.call("queue").text == "one"
    with pytest.raises(exceptions.Aborted, match="unable to queue the operation"):
        api.update("queue", hello("three"))
    with pytest.raises(exceptions.Aborted):
        api.functions.delete_function(name=f"{PARENT}/functions/queue")
    assert not api.finished(first).HasField("error")
    assert api.call("queue").text == "two"


def _source(greeting: str) -> str:
    return (
        "import functions_framework\n\n@functions_framework.http\n"
        f"def hello(request):\n    return {greeting!r}\n"
    )


def test_wait_operation_answers_when_it_is_done(api: FunctionsApi) -> None:
    name = api.create("waited", hello("x"))
    with grpc.insecure_channel(api.address.grpc) as channel:
        operations = operations_pb2_grpc.OperationsStub(channel)
        assert operations.WaitOperation(operations_pb2.WaitOperationRequest(name=name)).done
        listed = operations.ListOperations(operations_pb2.ListOperationsRequest(name=PARENT))
    assert name in [operation.name for operation in listed.operations]


def test_further_requirements_get_an_environment_of_their_own(api: FunctionsApi) -> None:
    # Not what the platform itself has: an older version of a small package that needs nothing.
    source = "import functions_framework, idna\n\n@functions_framework.http\ndef hello(request):\n"
    source += "    return idna.__version__\n"
    with open("fulcrum/script/requirements.txt") as file:
        lines = [line for line in file.read().splitlines() if not line.startswith(("#", "idna"))]
    requirements = "\n".join([*lines, "idna==3.10"])
    archive = zipped({"main.py": source, "requirements.txt": requirements})
    done = api.finished(api.create("needs", archive), 300)
    if done.HasField("error") and "No matching distribution" not in done.error.message:
        pytest.skip("no package index can be reached from here")
    assert not done.HasField("error"), done.error.message
    api.allow("needs")
    assert api.call("needs").text == "3.10"


# What is refused at once


@pytest.mark.parametrize("name", ["Upper", "9digits", "ends-", "a_b", "x" * 64, ""])
def test_bad_ids_are_refused(api: FunctionsApi, name: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="function_id"):
        api.create(name, hello("x"))


def test_what_is_there_cannot_be_created_and_what_is_not_cannot_be_updated(api: FunctionsApi) -> None:
    api.finished(api.create("twice", hello("x")))
    with pytest.raises(exceptions.AlreadyExists, match="already exists"):
        api.create("twice", hello("x"))
    with pytest.raises(exceptions.NotFound):
        api.update("nothing", hello("x"))
    with pytest.raises(exceptions.NotFound):
        api.functions.get_operation(operations_pb2.GetOperationRequest(name=f"{PARENT}/operations/none"))


def test_source_must_have_been_uploaded(api: FunctionsApi) -> None:
    place = api.functions.generate_upload_url(request={"parent": PARENT})
    function = functions_v2.Function(
        build_config={
            "runtime": "python312",
            "entry_point": "hello",
            "source": {"storage_source": place.storage_source},
        }
    )
    with pytest.raises(exceptions.InvalidArgument, match="Could not find the source"):
        api.functions.create_function(parent=PARENT, function=function, function_id="empty")


def test_update_by_mask_changes_what_it_names(api: FunctionsApi) -> None:
    api.serve("masked", hello("one"), environment_variables={"A": "1"}, timeout_seconds=30)
    wanted = api.wanted(hello("two"), environment_variables={"B": "2"}, timeout_seconds=50)
    wanted.name = f"{PARENT}/functions/masked"
    mask = FieldMask(paths=["service_config.environment_variables"])
    begun = api.functions.update_function(function=wanted, update_mask=mask)
    assert not api.finished(begun.operation.name).HasField("error")
    found = api.get("masked")
    assert dict(found.service_config.environment_variables) == {"B": "2"}
    assert found.service_config.timeout_seconds == 30
    assert api.call("masked").text == "one"
    with pytest.raises(exceptions.InvalidArgument, match="update_mask"):
        api.functions.update_function(function=wanted, update_mask=FieldMask(paths=["no_such_field"]))


def test_what_it_has_not_is_refused_by_name(api: FunctionsApi) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match=r"FunctionService\.ListRuntimes"):
        api.functions.list_runtimes(parent=PARENT)
    with pytest.raises(exceptions.MethodNotImplemented, match=r"Services\.CreateService"):
        api.run.create_service(parent=PARENT, service={}, service_id="x")
    wanted = api.wanted(hello("x"))
    wanted.event_trigger.event_type = "google.cloud.pubsub.topic.v1.messagePublished"
    with pytest.raises(exceptions.MethodNotImplemented, match=r"Function\.event_trigger"):
        api.functions.create_function(parent=PARENT, function=wanted, function_id="event")
    wanted = api.wanted(hello("x"))
    wanted.build_config.runtime = "nodejs20"
    with pytest.raises(exceptions.MethodNotImplemented, match="nodejs20"):
        api.functions.create_function(parent=PARENT, function=wanted, function_id="node")


# Uploads


def test_upload_url_is_good_for_one_zip(api: FunctionsApi) -> None:
    url = api.functions.generate_upload_url(request={"parent": PARENT}).upload_url
    assert httpx.put(url, content=b"x", headers={"content-type": "text/plain"}).status_code == 403
    kind = {"content-type": "application/zip"}
    assert httpx.put(url, content=hello("x"), headers=kind).status_code == 200
    assert httpx.put(url, content=hello("y"), headers=kind).status_code == 412
    assert httpx.put(url.replace(".zip", "x.zip"), content=b"x", headers=kind).status_code == 403
