"""What a caller holds, and whether that covers what somebody else holds."""

from __future__ import annotations

from typing import Any

import pytest

from functions.api.access.principal import Grant, Principal


def _grant(*permissions: str, on: tuple[Any, str] = ("project", "p")) -> Grant:
    return Grant(on[0], on[1], frozenset(permissions))


def _caller(*grants: Grant, admin: bool = False) -> Principal:
    return Principal("user", "u", "u", "p", admin, grants)


S1, S2, D1 = ("system", "s1"), ("system", "s2"), ("device", "d1")


@pytest.mark.parametrize(
    ("caller", "held", "covers"),
    [
        (_caller(), [], True),
        (_caller(), [_grant("device.read")], False),
        (_caller(admin=True), [_grant("*")], True),
        (_caller(_grant("*")), [_grant("*"), _grant("device.read", on=D1)], True),
        (_caller(_grant("device.read")), [_grant("*")], False),
        (_caller(_grant("device.read")), [_grant("device.read", on=D1)], True),
        (_caller(_grant("device.read", on=S1)), [_grant("device.read")], False),
        (_caller(_grant("device.read", on=S1)), [_grant("device.read", on=S1)], True),
        (_caller(_grant("device.read", on=S1)), [_grant("device.read", on=S2)], False),
        (_caller(_grant("device.read", on=D1)), [_grant("device.read", "device.update", on=D1)], False),
        (_caller(_grant("device.create")), [_grant("device.create:b1")], True),
        (_caller(_grant("device.create:b1")), [_grant("device.create")], False),
        (_caller(_grant("device.createRelationship")), [_grant("relationship.create:a1")], True),
        (_caller(_grant("relationship.create:a1")), [_grant("device.createRelationship")], False),
        (_caller(_grant("device.create:b1")), [_grant("device.create:b2")], False),
    ],
)
def test_a_caller_covers_what_he_holds_where_it_is_held(
    caller: Principal, held: list[Grant], covers: bool
) -> None:
    assert caller.covers(held) is covers


def test_a_grant_of_everything_holds_what_it_does_not_name() -> None:
    caller = _caller(_grant("*", on=S1))
    assert caller.allows("device.read", system="s1")
    assert not caller.allows("device.read", system="s2")
    assert not caller.allows("device.read")
    assert caller.anywhere("device.read")
    assert caller.readable("device.list").systems == {"s1"}
