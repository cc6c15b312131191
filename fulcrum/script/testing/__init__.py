"""Tests of scripts without the platform: recorded or written events, run and compared with what is expected.

An event with all that a script may see stands in one YAML file (:mod:`fulcrum.script.testing.fixture`); the
pytest plug-in (:mod:`fulcrum.script.testing.plugin`) runs each as a test. pytest is imported by the plug-in
alone, which pytest loads by itself. The types here are those of its fixtures, for tests that are checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fulcrum.script.wire import Outcome


class MakeMessage(Protocol):
    """The fixture ``make_message``: a message of data by path, with the wire's other fields by name."""

    def __call__(self, data: Any = None, **fields: Any) -> dict[str, Any]: ...


class RunEvent(Protocol):
    """The fixture ``run_event``: what one message comes to in a context."""

    def __call__(self, message: Mapping[str, Any], **context: Any) -> Outcome: ...


class RunEvents(Protocol):
    """The fixture ``run_events``: what several come to, one after the other."""

    def __call__(self, messages: Sequence[Mapping[str, Any]], **context: Any) -> list[Outcome]: ...
