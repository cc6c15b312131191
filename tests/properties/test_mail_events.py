"""What SendGrid tells of a mail is a fold: any order, batches and repetition come to the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.api.callbacks.mail_events import Event, decide

_NAMES = ("processed", "deferred", "delivered", "bounce", "dropped")
_RECIPIENTS = ("a@x.de", "A@X.de", "b@x.de", "c@x.de")
_FORWARD = {"sending": 0, "sent": 1, "delivered": 2, "undelivered": 3}
events = st.builds(
    Event,
    event=st.sampled_from(_NAMES),
    email=st.sampled_from(_RECIPIENTS),
    timestamp=st.integers(0, 5),
    sg_message_id=st.sampled_from(["X1.filter", "X2.filter"]),
    reason=st.sampled_from(["", "550", "551"]),
)


def _told(batches: list[list[Event]], start: dict[str, Any]) -> dict[str, Any]:
    fields = dict(start)
    for batch in batches:
        before = fields["state"]
        changes = decide(fields, batch, 1)
        if not isinstance(changes, str):
            fields |= changes
        assert _FORWARD[before] <= _FORWARD[fields["state"]]
    return fields


@given(st.data(), st.lists(events, max_size=12), st.sampled_from(["sent", "sending"]))
def test_any_order_batches_and_repetition_come_to_the_same(
    data: st.DataObject, told: list[Event], state: str
) -> None:
    start: dict[str, Any] = {"state": state, "to": ["a@x.de"], "cc": ["b@x.de"], "providerId": "X1"}
    once = _told([told], start)
    shuffled = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told or [Event()])))))
    cut = data.draw(st.integers(0, len(shuffled)))
    again = _told([shuffled[:cut], shuffled[cut:]], start)
    if state == "sent":
        # Of one that is being sent, what was processed counts only until something has said that it is out.
        assert again == once
    assert again["state"] == once["state"]


@given(st.lists(events, max_size=12))
def test_what_was_told_changes_nothing_when_it_is_told_again(told: list[Event]) -> None:
    start: dict[str, Any] = {"state": "sent", "to": ["a@x.de"], "providerId": "X1"}
    fields = _told([told], start)
    assert decide(fields, told, 2) in ("known", "foreign")
    assert fields.get("providerId") == "X1"
    assert all(one["to"] in _RECIPIENTS for one in fields.get("deliveries", ()))
