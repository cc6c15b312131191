"""The stack on Google's own Pub/Sub and Firestore emulators."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import stack_files
from local.stack import Stack
from local.watchdog import marked
from tests.integration.local.conftest import SERVICES, ask, eventually, publish
from tests.support.emulators import google_missing

pytestmark = [
    pytest.mark.google,
    pytest.mark.slow,
    pytest.mark.skipif(bool(google_missing("pubsub")), reason=google_missing("pubsub")),
    pytest.mark.skipif(bool(google_missing("firestore")), reason=google_missing("firestore")),
]


def test_stack_runs_on_them_and_leaves_nothing(tmp_path: Path) -> None:
    with Stack(tmp_path / "run", services=SERVICES, emulators="google") as stack:
        mark = str(stack_files.read_description(stack.directory)["mark"])
        publish(stack, "jobs", {"file": str(tmp_path / "job")})
        eventually(
            lambda: (tmp_path / "job").exists() and "done" in (tmp_path / "job").read_text(), "the push"
        )
        assert ask(f"{stack.url}/echo").status == 200
        with pytest.raises(ValueError, match="no control routes"):
            stack.drain()
        with pytest.raises(ValueError, match="real clock"):
            stack.advance_clock(1)
    assert not marked(mark)
