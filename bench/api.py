"""Cold start of the API: from the start of a process to its first answer about a device."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import partial

from bench.figures import Figure, Target, interleaved
from bench.fleet import Fleet
from bench.server import HELLO, Request, function, serving
from bench.start import GREETING, first_answer

API = function("api")
COLD_START = Target(3.0)
_JSON = {"Content-Type": "application/json"}


def measure(fleet: Fleet, env: Mapping[str, str], quick: bool) -> list[Figure]:
    """``api_cold_start`` (the first answer says that nobody signed in), and the same for who has."""
    secret = {"FULCRUM_SIGNING_KEY": secrets.token_hex(32), "FULCRUM_SETUP_TOKEN": secrets.token_hex(16)}
    own = {**env, **secret}
    token = _signed_in(own)
    path = f"/v1/device/{fleet.first}?projectId={fleet.project}"
    unsigned = Request(path, b"", {}, frozenset({401}), "GET")
    signed = Request(path, b"", {"Authorization": f"Bearer {token}"}, frozenset({200}), "GET")
    measures = {
        "hello": partial(first_answer, HELLO, GREETING, own),
        "unsigned": partial(first_answer, API, unsigned, own),
        "signed": partial(first_answer, API, signed, own),
    }
    for once in measures.values():
        once()  # compiles bytecode, as a deployed image has it compiled
    medians = interleaved(1 if quick else 15, measures)
    hello = medians["hello"]
    return [
        Figure("api_cold_start", medians["unsigned"][0], hello[0], "ms CPU", COLD_START),
        Figure("api_cold_start_signed_in", medians["signed"][0], hello[0], "ms CPU"),
        Figure("api_memory_signed_in", medians["signed"][1], hello[1], "MiB PSS"),
    ]


def _signed_in(env: Mapping[str, str]) -> str:
    """A token of a new administrator."""
    person = {"username": "bench", "password": secrets.token_hex(16)}
    setup = json.dumps({"token": env["FULCRUM_SETUP_TOKEN"], **person}).encode()
    with serving(API, env) as server:
        server.ask(Request("/v1/setup", setup, _JSON, frozenset({200, 201})))
        login = Request("/v1/login", json.dumps(person).encode(), _JSON, frozenset({200, 201}))
        token: str = json.loads(server.ask(login))["idToken"]
    return token
