"""The HTTP request that brings a message to a device, from its network's templates. Pure.

A placeholder stands in braces: ``{msgId}``, ``{deviceId}`` (the platform's), ``{networkId}``,
``{projectId}``, ``{alias}`` (the device's name by the network's first alias key) and ``{alias:imei}``. In a
URL they stand behind the host, and what takes their place is percent-encoded. In a body there is
``{message}`` too: as a whole value it is the message itself, within a text its JSON text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from shared.errors import Rejected

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAMES = ("msgId", "deviceId", "networkId", "projectId", "alias")
_MESSAGE = "message"
_encode = msgspec.json.encode


class Facts(NamedTuple):
    """What placeholders stand for. ``aliases``: the device's names in the network, by alias key.

    ``first``: the alias key that ``{alias}`` means; None where the network has none.
    """

    msg_id: str
    device_id: str
    network_id: str
    project_id: str
    aliases: Mapping[str, str]
    first: str | None
    message: Any


def url_problem(template: str) -> str:
    """What is wrong with a URL template; empty if nothing is. (Where it leads is another question.)"""
    head, separator, rest = template.partition("://")
    host, _, _ = rest.partition("/")
    if not separator or any(brace in head + host.partition("?")[0] for brace in "{}"):
        return "it begins with https://host/: placeholders stand behind the host alone"
    return _problem(template, _NAMES)


def body_problem(template: Any) -> str:
    """What is wrong with a body template; empty if nothing is."""
    if isinstance(template, str):
        return _problem(template, (*_NAMES, _MESSAGE), strict=False)
    inner = (
        template.values() if isinstance(template, dict) else template if isinstance(template, list) else ()
    )
    return next((found for one in inner if (found := body_problem(one))), "")


def example(template: str) -> str:
    """A URL that a template may become, to be judged as URLs are."""
    return _PLACEHOLDER.sub("x", template)


def url(template: str, facts: Facts) -> str:
    """The URL for a message; Rejected (``outbound.alias``) where the device has no such name."""
    return _PLACEHOLDER.sub(lambda match: _quoted(_value(match[1], facts)), template)


def body(template: Any, facts: Facts) -> Any:
    """The JSON body for a message; without a template the message itself."""
    return facts.message if template is None else _filled(template, facts)


def _filled(template: Any, facts: Facts) -> Any:
    if isinstance(template, dict):
        return {key: _filled(value, facts) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, facts) for value in template]
    if not isinstance(template, str):
        return template
    if template == f"{{{_MESSAGE}}}":
        return facts.message
    return _PLACEHOLDER.sub(lambda match: _in_text(match, facts), template)


def _in_text(match: re.Match[str], facts: Facts) -> str:
    if match[1] == _MESSAGE:
        return _encode(facts.message).decode()
    # Braces that are none of ours are the text's own.
    known = match[1].partition(":")[0] in _NAMES
    return _value(match[1], facts) if known else match[0]


def _problem(template: str, names: tuple[str, ...], strict: bool = True) -> str:
    for found in _PLACEHOLDER.findall(template):
        name, colon, key = found.partition(":")
        if name not in names:
            if strict:
                listed = ", ".join(f"{{{one}}}" for one in names)
                return f"there is no placeholder {{{found[:100]}}}: use {listed}"
        elif colon and (name != "alias" or not key):
            return f"only an alias is named further, as in {{alias:imei}}, not {{{found[:100]}}}"
    if strict and re.search(r"[{}]", _PLACEHOLDER.sub("", template)):
        return "a brace is not closed, or not opened"
    return ""


def _value(placeholder: str, facts: Facts) -> str:
    name, _, key = placeholder.partition(":")
    if name == "alias":
        wanted = key or facts.first or ""
        if wanted not in facts.aliases:
            raise Rejected(
                "outbound.alias", f"the device has no alias {wanted!r} in the network {facts.network_id}"
            )
        return facts.aliases[wanted]
    return {
        "msgId": facts.msg_id,
        "deviceId": facts.device_id,
        "networkId": facts.network_id,
        "projectId": facts.project_id,
    }[name]


def _quoted(value: str) -> str:
    # Two names that mean another place, whatever they are encoded as.
    if value in (".", ".."):
        raise Rejected("outbound.alias", f"the alias {value!r} cannot stand in a URL")
    return quote(value, safe="")
