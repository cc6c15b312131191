"""Resource names: ``projects/p/topics/t`` and ``projects/p/subscriptions/s``."""

from __future__ import annotations

import re

from emulators.pubsub.errors import invalid_name

DELETED_TOPIC = "_deleted-topic_"

# 3 to 255 characters, a letter first, never beginning with "goog".
_ID = r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}"
_TOPIC = re.compile(rf"projects/[^/\s]+/topics/{_ID}")
_SUBSCRIPTION = re.compile(rf"projects/[^/\s]+/subscriptions/{_ID}")
_PROJECT = re.compile(r"projects/[^/\s]+")


def topic(name: str) -> str:
    """Return a well-formed topic name; INVALID_ARGUMENT for any other."""
    return _checked(_TOPIC, name)


def subscription(name: str) -> str:
    """Return a well-formed subscription name; INVALID_ARGUMENT for any other."""
    return _checked(_SUBSCRIPTION, name)


def project(name: str) -> str:
    """Return a well-formed project name (``projects/p``); INVALID_ARGUMENT for any other."""
    return _checked(_PROJECT, name)


def _checked(pattern: re.Pattern[str], name: str) -> str:
    if not pattern.fullmatch(name):
        raise invalid_name(name)
    return name
