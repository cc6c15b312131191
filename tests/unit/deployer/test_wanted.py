"""What is asked of Cloud Functions, and its answers in plain words."""

from __future__ import annotations

import pytest
from google.cloud import functions_v2
from google.iam.v1 import policy_pb2

from fulcrum.script.wire import Description, Entry
from functions.deployer import host, wanted
from functions.deployer.wanted import Place

PLACE = Place("farm-cloud", "europe-west1", "python312", "scripts@x", ("serviceAccount:reason@x",), "")
SOURCE = {"bucket": "b", "object_": "o.zip"}


def test_function_is_one_that_google_takes() -> None:
    made = wanted.function(PLACE, "farm", "s1", 3, "d1", SOURCE)
    taken = functions_v2.Function(made)
    assert taken.name.startswith("projects/farm-cloud/locations/europe-west1/functions/script-")
    assert taken.build_config.source.storage_source.object_ == "o.zip"
    assert taken.service_config.vpc_connector == ""
    assert wanted.is_of(taken, "d1")
    assert not wanted.is_of(taken, "d2")
    for key, value in made["labels"].items():
        assert len(value) <= 63
        assert value == value.lower(), key


@pytest.mark.parametrize(
    ("before", "changed", "after"),
    [
        ([], True, ["a", "b"]),
        (["a"], True, ["a", "b"]),
        (["c"], True, ["c", "a", "b"]),
        (["b", "a"], False, ["b", "a"]),
    ],
)
def test_right_to_call_is_given_once_and_takes_nobody_elses(
    before: list[str], changed: bool, after: list[str]
) -> None:
    policy = policy_pb2.Policy()
    policy.bindings.add(role="roles/run.viewer", members=["d"])
    if before:
        policy.bindings.add(role=wanted.INVOKER, members=before)
    assert wanted.invokers(policy, ["a", "b"]) is changed
    found = {binding.role: list(binding.members) for binding in policy.bindings}
    assert found == {"roles/run.viewer": ["d"], wanted.INVOKER: after}


def test_progress_follows_the_stages() -> None:
    told = [
        wanted.progress(2, stages)
        for stages in (
            [],
            [("BUILD", "NOT_STARTED"), ("SERVICE", "NOT_STARTED")],
            [("BUILD", "IN_PROGRESS"), ("SERVICE", "NOT_STARTED")],
            [("BUILD", "COMPLETE"), ("SERVICE", "IN_PROGRESS"), ("TRIGGER", "NOT_STARTED")],
        )
    ]
    assert [value for value, _ in told] == [10, 10, 20, 60]
    assert told[-1][1] == "version 2 is being started"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "Build failed with status: FAILURE and message: Collecting x\nERROR: No match\n\n",
            "ERROR: No match",
        ),
        ("Container Healthcheck failed.\n\nValueError: bad\nmain.py:1: bad", "main.py:1: bad"),
        ("Warning: x\nERROR: a and b conflict\nERROR: ResolutionImpossible: see", "ERROR: a and b conflict"),
        ("denied", "denied"),
        ("", "Cloud Functions did not say why"),
    ],
)
def test_failure_says_in_a_line_what_was_wrong(text: str, line: str) -> None:
    assert wanted.failure(2, text) == (f"version 2 could not be deployed: {line}", text)


def test_what_serves_says_what_does_not_hold() -> None:
    entries = [Entry(name="run"), Entry(name="onTimer")]
    bare = Description(script_version=1, entries=entries)
    assert wanted.serving(1, bare) == "version 1 serves: onTimer, run"
    told = Description(script_version=1, entries=[], isolation=["seccomp"], missing=["landlock: none here"])
    assert wanted.serving(1, told) == (
        "version 1 serves: no entry points; isolated by seccomp; NOT isolated by landlock: none here"
    )


def test_host_brings_what_runs_a_script_and_nothing_of_other_uses() -> None:
    found = host.files()
    assert {"fulcrum/__init__.py", "fulcrum/core/fold.py", "fulcrum/script/wire.py"} <= set(found)
    assert not [path for path in found if path.startswith(("fulcrum/client", "fulcrum/cli"))]
    assert not [path for path in found if path.count("/") > 2]
    assert "functions-framework==" in host.requirements()
