"""Frames: whatever is cut, damaged or strewn between them, what is read is what was sent."""

from __future__ import annotations

import binascii
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.tracker_server import protocol
from examples.tracker_server.protocol import ACK, REPORT, Frame, Framer, Malformed, Record

_numbers = st.integers(0, 65_535)
records = st.builds(
    Record,
    time=st.integers(0, 2**32 - 1),
    position=st.none()
    | st.tuples(
        st.integers(-900_000_000, 900_000_000).map(lambda n: n / 1e7),
        st.integers(-1_800_000_000, 1_800_000_000).map(lambda n: n / 1e7),
    ),
    speed_kmh=_numbers.map(lambda n: n / 10),
    course=_numbers.map(lambda n: n / 10),
    battery_v=_numbers.map(lambda n: n / 1000),
    pressed=st.booleans(),
)
frames = st.builds(
    Frame,
    type=st.integers(0, 255),
    tracker=st.integers(0, 2**64 - 1),
    sequence=_numbers,
    payload=st.binary(max_size=60),
)
# Two bytes that begin a frame may stand anywhere, with a length that is none behind them.
garbage = st.binary(max_size=40) | st.just(protocol.MAGIC) | st.just(protocol.MAGIC + b"\x01\xff\xff")


def test_the_checksum_is_the_one_that_its_name_says() -> None:
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1
    frame = protocol.encode(Frame(REPORT, 0x0102030405060708, 0x0A0B, b"\x00"))
    assert frame.hex(" ") == "7e 54 01 00 01 01 02 03 04 05 06 07 08 0a 0b 00 " + frame[-2:].hex(" ")


@given(frame=frames)
def test_a_frame_is_read_as_it_was_written(frame: Frame) -> None:
    assert protocol.decode(protocol.encode(frame)) == frame


@given(found=st.lists(records, min_size=1, max_size=255))
def test_records_are_read_as_they_were_written(found: list[Record]) -> None:
    assert protocol.records(Frame(REPORT, 1, 1, protocol.encode_records(found))) == found


@given(frame=frames, data=st.data())
def test_a_frame_that_was_damaged_is_none(frame: Frame, data: Any) -> None:
    sent = bytearray(protocol.encode(frame))
    # Up to 16 bits in a row: all of those the checksum finds.
    at = data.draw(st.integers(0, len(sent) - 2))
    damage = data.draw(st.integers(1, 65_535))
    sent[at] ^= damage >> 8
    sent[at + 1] ^= damage & 0xFF
    assert protocol.decode(bytes(sent)) is None
    assert protocol.decode(bytes(sent[:-1])) is None


@given(st.binary(max_size=100))
def test_anything_at_all_may_come(data: bytes) -> None:
    found = protocol.decode(data)
    assert found is None or protocol.encode(found) == data


@given(sent=st.lists(frames, max_size=5), between=garbage, cuts=st.lists(st.integers(0, 500), max_size=8))
def test_a_stream_may_be_cut_anywhere_and_have_anything_between(
    sent: list[Frame], between: bytes, cuts: list[int]
) -> None:
    # Behind all of it so much that whatever seems to be the beginning of a frame is found out.
    stream = b"".join(between + protocol.encode(frame) for frame in sent) + bytes(protocol.MAX_FRAME)
    framer, found = Framer(), []
    for start, end in pairwise([0, *sorted(cuts), len(stream)]):
        found += framer.feed(stream[start:end])
    # Bytes of a frame may read as another only where its checksum is right there, too.
    assert [frame for frame in found if frame in sent] == sent
    if not between:
        assert found == sent
        assert framer.skipped == protocol.MAX_FRAME


def test_half_a_frame_waits_for_its_rest() -> None:
    data = protocol.encode(Frame(REPORT, 7, 1, b"x"))
    framer = Framer()
    assert framer.feed(data[:9]) == []
    assert framer.partial
    assert framer.feed(data[9:] + data[:1]) == [Frame(REPORT, 7, 1, b"x")]
    assert framer.partial
    assert framer.skipped == 0


@pytest.mark.parametrize(
    "frame",
    [
        Frame(ACK, 1, 1, b"\x00"),
        Frame(2, 1, 1, protocol.encode_records([Record(1, None, 0, 0, 0, False)])),
        Frame(REPORT, 1, 1, b""),
        Frame(REPORT, 1, 1, b"\x00"),
        Frame(REPORT, 1, 1, b"\x01"),
        Frame(REPORT, 1, 1, protocol.encode_records([Record(1, (0.0, 0.0), 0, 0, 0, False)]) + b"x"),
        Frame(REPORT, 1, 1, protocol.encode_records([Record(1, (90.1, 0.0), 0, 0, 0, False)])),
        Frame(REPORT, 1, 1, protocol.encode_records([Record(1, (0.0, -180.1), 0, 0, 0, False)])),
    ],
)
def test_what_is_no_report_is_refused(frame: Frame) -> None:
    with pytest.raises(Malformed):
        protocol.records(frame)
