"""What an operation of the API takes, as data: the command ``fulcrum`` makes its commands of these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A parameter of the path, the query or a header.

    ``kind``: string, integer, number, boolean, strings (a list), or json. ``choices``: what alone is allowed.
    """

    wire: str
    place: str
    kind: str
    required: bool
    description: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """A field of an operation's body. ``kind`` as of a parameter, or secret."""

    wire: str
    kind: str
    required: bool
    description: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """One operation.

    ``body`` says how ``path=value`` makes its body: ``none`` (it has none), ``object``, ``patch`` (a list of
    changes), ``keyValue``, or ``any`` (it takes JSON alone). ``body_kinds`` are types of bodies that are no
    JSON, ``streams`` types of answers that are none. ``secret``: the answer holds what is shown once.
    """

    resource: str
    name: str
    method: str
    path: str
    summary: str
    description: str
    permission: str
    parameters: tuple[Parameter, ...]
    body: str
    body_required: bool
    fields: tuple[Field, ...]
    body_kinds: tuple[str, ...]
    paged: bool
    streams: tuple[str, ...]
    answers_json: bool
    secret: bool
    once: bool
