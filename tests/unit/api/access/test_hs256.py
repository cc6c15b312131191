"""Our tokens are those of everybody else's libraries, and what is not exactly one is none."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from functions.api.access import hs256
from shared import clock

SECRET = "a-secret-of-more-than-64-characters-in-all-so-that-any-library-takes-it"
CLAIMS = {"aud": "fulcrum", "sub": "ada", "exp": 4_000_000_000}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def signed(head: str, body: str) -> str:
    return f"{head}.{body}.{hs256._signature(f'{head}.{body}', SECRET)}"


def verified(text: str) -> dict[str, Any]:
    return hs256.verified(text, SECRET, "fulcrum", ("sub", "exp"))


def test_another_library_reads_what_is_signed_here_and_writes_what_is_verified() -> None:
    ours = hs256.sign(CLAIMS, SECRET)
    assert jwt.decode(ours, SECRET, algorithms=["HS256"], audience="fulcrum") == CLAIMS
    theirs = jwt.encode(CLAIMS | {"aud": ["x", "fulcrum"]}, SECRET, algorithm="HS256", headers={"kid": "1"})
    assert verified(theirs)["sub"] == "ada"
    assert hs256.unverified(theirs)["sub"] == "ada"


def test_another_secret_is_told_from_what_is_no_token() -> None:
    with pytest.raises(hs256.Forged):
        verified(hs256.sign(CLAIMS, SECRET + "x"))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS512"},
        {"alg": "hs256"},
        {"alg": ["HS256"]},
        {},
        {"alg": "HS256", "crit": ["b64"], "b64": False},
        ["HS256"],
        "HS256",
    ],
)
def test_only_one_algorithm_is_taken_whatever_the_signature(header: Any) -> None:
    with pytest.raises(hs256.Invalid):
        verified(signed(part(header), part(CLAIMS)))
    with pytest.raises(hs256.Invalid):
        verified(jwt.encode(CLAIMS, SECRET, algorithm="HS512"))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "other"},
        {"aud": None},
        {"aud": {"fulcrum": 1}},
        {"aud": []},
        {"sub": None},
        {"exp": None},
        {"nbf": "soon"},
        {"nbf": clock.now_ms() // 1000 + 3600},
    ],
)
def test_claims_that_are_not_as_they_must_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(hs256.Invalid):
        verified(signed(part({"alg": "HS256"}), part(CLAIMS | change)))


def _spoilt() -> list[str]:
    good = hs256.sign(CLAIMS, SECRET)
    head, body, signature = good.split(".")
    # The last letter of a signature holds two bits that say nothing.
    loose = signature[:-1] + chr(ord(signature[-1]) + 1)
    return [
        *("", ".", "..", "...", "a.b.c", good + ".", f"{good}.x", f"{head}.{body}", f"{head}.{body}."),
        *(f"{good}=", f" {good}", f"{good}\n", f"{head}.{body}.{loose}", f"{head}.{body}.\u00fc\ud800"),
        *(signed(head, text) for text in (part(5), part("x"), part([]), "", "!", "AAAAA", "\u00fc")),
        signed(head, base64.urlsafe_b64encode(b"[" * 50_000).decode().rstrip("=")),
        signed(head, base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("=")),
        signed(head, f"{body}\n"),
    ]


@pytest.mark.parametrize("text", _spoilt(), ids=range(len(_spoilt())))
def test_what_is_not_exactly_a_token_is_none(text: str) -> None:
    with pytest.raises(hs256.Invalid):
        verified(text)
