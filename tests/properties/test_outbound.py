"""What may become of a message to a device, whatever is said of it, in whatever order and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shared import outbound
from shared.messages import DeviceAck, OutboundSent
from shared.outbound import RANK, Record

_START, _EXPIRES = 1_000, 500_000
_FORWARD = {
    "queued": {"queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"},
    "sent": {"sent", "acked", "failed", "expired"},
}
Step = Callable[[Record, int], Record | None]


def _record(expects_ack: bool = False, key: str | None = None) -> Record:
    return Record(
        project_id="p",
        msg_id="m",
        device_id="d",
        network_id="n",
        transport="rest",
        message="1",
        created=_START,
        expire_time=_EXPIRES,
        expects_ack=expects_ack,
        key=key,
    )


def _reported(device: str, network: str | None, status: Any, sender: type) -> Step:
    if sender is OutboundSent:
        given: DeviceAck | OutboundSent = OutboundSent(
            msg_id="m", project_id="p", device_id=device, network_id=network, status=status
        )
    else:
        given = DeviceAck(
            msg_id="m", project_id="p", device_id=device, network_id=network, status=status, received_time=1
        )
    return lambda record, now: outbound.reported(record, given, now)


def _claim(attempt: int) -> Step:
    def step(record: Record, now: int) -> Record | None:
        claimed = outbound.claim(record, attempt, now)
        return claimed if isinstance(claimed, Record) else None

    return step


_NEWER = msgspec.structs.replace(_record(key="k"), msg_id="newer", created=_START + 1)
steps = st.one_of(
    st.builds(
        _reported,
        st.sampled_from(["d", "d", "d", "other"]),
        st.sampled_from([None, "n", "other"]),
        st.sampled_from(["sent", "acked", "failed"]),
        st.just(DeviceAck),
    ),
    st.builds(
        _reported,
        st.sampled_from(["d", "d", "other"]),
        st.sampled_from([None, "n"]),
        st.sampled_from(["sent", "failed"]),
        st.just(OutboundSent),
    ),
    st.builds(_claim, st.integers(0, 4)),
    st.sampled_from(
        [
            outbound.expired,
            outbound.cancelled,
            lambda record, now: outbound.sent(record, now, {"status": 200}, held=True),
            lambda record, now: outbound.sent(record, now, None),
            lambda record, now: outbound.away(record, now, "away"),
            lambda record, now: outbound.failed(record, now, "never"),
            lambda record, now: outbound.replaced(record, _NEWER, now),
        ]
    ),
)
# Clocks of several instances: instants come in any order.
happenings = st.lists(st.tuples(steps, st.integers(_START, 2 * _EXPIRES)), max_size=30)


@given(happenings, st.booleans())
def test_a_message_goes_forward_alone_and_out_of_no_end(
    happened: list[tuple[Step, int]], expects_ack: bool
) -> None:
    record = _record(expects_ack, "k")
    for step, now in happened:
        after = step(record, now)
        if after is None:
            continue
        assert RANK[record.state] < 2, "an end is an end"
        assert after.state in _FORWARD[record.state]
        assert after.attempts >= record.attempts
        named = ("msg_id", "device_id", "network_id", "message", "created", "expire_time", "key")
        assert all(getattr(after, name) == getattr(record, name) for name in named)
        if after.state == "expired":
            assert now >= record.expire_time
        if after.state in ("cancelled", "replaced", "expired"):
            assert not outbound.is_leased(record, now)
        if after.state != "queued":
            assert after.lease is None
            assert after.next_try is None
        # Whatever was done is done: the same again, at the same instant, makes nothing else of it.
        again = step(after, now)
        assert again is None or again.state == after.state
        record = after
        fields = outbound.to_fields(record)
        fields.pop("expireAt")
        assert outbound.from_fields(fields) == record


@given(happenings)
def test_what_is_said_by_or_of_others_changes_nothing(happened: list[tuple[Step, int]]) -> None:
    record = _record()
    for step, now in happened:
        record = step(record, now) or record
        for device, network in (("other", None), ("other", "n"), ("d", "other")):
            for status in ("sent", "acked", "failed"):
                assert _reported(device, network, status, DeviceAck)(record, now) is None
            for status in ("sent", "failed"):
                assert _reported(device, network, status, OutboundSent)(record, now) is None


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(0, 100_000))
def test_of_all_who_try_at_once_one_holds_it(attempts: list[int], now: int) -> None:
    record = _record()
    holders = 0
    for attempt in attempts:
        claimed = outbound.claim(record, attempt, now)
        if isinstance(claimed, Record):
            holders += 1
            record = claimed
    assert holders == (0 in attempts)
    # Whoever holds it is gone: once his lease has run out, and not before, another takes over.
    if holders:
        assert outbound.claim(record, 0, now + outbound.LEASE_MS - 1) == "busy"
        assert isinstance(outbound.claim(record, 0, now + outbound.LEASE_MS), Record)


@given(st.permutations(range(4)), st.integers(0, 3))
def test_of_one_key_the_newest_stays(order: list[int], twice: int) -> None:
    made = [msgspec.structs.replace(_record(key="k"), msg_id=f"m{n}", created=_START + n) for n in order]
    queue = made[:]
    for newest in [*made, made[twice]]:
        queue = [outbound.replaced(one, newest, _START) or one for one in queue]
    assert [one.msg_id for one in queue if one.state == "queued"] == ["m3"]


@given(st.integers(0, _EXPIRES - 1), st.sampled_from(["expired", "cancelled", "replaced"]), st.booleans())
def test_an_end_tells_that_the_last_attempt_may_have_arrived(now: int, end: str, noted: bool) -> None:
    record = outbound.claim(_record(key="k"), 0, now)
    assert isinstance(record, Record)
    if noted:
        record = outbound.away(record, now, "the URL answered 503") or record
    step: Step = {
        "expired": outbound.expired,
        "cancelled": outbound.cancelled,
        "replaced": lambda before, at: outbound.replaced(before, _NEWER, at),
    }[end]
    ended = step(record, max(_EXPIRES, now + outbound.LEASE_MS))
    assert ended is not None
    assert ended.state == end
    if noted:
        assert ended.error == "the URL answered 503"
    else:
        assert str(ended.error).startswith("what became of attempt 1 is not known")
