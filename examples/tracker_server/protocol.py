"""The trackers' protocol: frames to bytes and back. Pure, and made up for this example.

All numbers are big-endian. A frame, over UDP one in each datagram, over TCP one behind the other:

    offset  bytes
    0       2      7E 54
    2       1      type: 1 report, 81 (hex) acknowledgement
    3       2      length of the payload, at most 4,846
    5       8      the tracker's serial number
    13      2      sequence number, chosen by the tracker; the acknowledgement repeats it
    15      n      payload
    15+n    2      CRC-16/CCITT-FALSE of all before it

The payload of a report is 1 to 255 records, whose number its first byte says:

    0       4      time, in seconds since 1970, UTC
    4       4      latitude, in 10^-7 degrees, signed
    8       4      longitude, the same
    12      2      speed, in 0.1 km/h
    14      2      course, in 0.1 degrees
    16      2      battery, in mV
    18      1      bit 0: the button is pressed; bit 1: no position (latitude and longitude count for nothing)

The payload of an acknowledgement is one byte: 0, stored; 1, refused, do not send it again. A tracker that
gets neither sends the same frame again.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

MAGIC = b"\x7eT"
REPORT, ACK = 0x01, 0x81
STORED, REFUSED = 0, 1
MAX_RECORDS = 255

_HEADER = struct.Struct(">2sBHQH")
_RECORD = struct.Struct(">IiiHHHB")
_CRC = struct.Struct(">H")
MAX_PAYLOAD = 1 + MAX_RECORDS * _RECORD.size
MAX_FRAME = _HEADER.size + MAX_PAYLOAD + _CRC.size
_PRESSED, _NO_POSITION = 1, 2


class Malformed(ValueError):
    """A frame that came through whole, and says nothing that this protocol knows."""


@dataclass(frozen=True)
class Frame:
    """One frame, its checksum right."""

    type: int
    tracker: int
    sequence: int
    payload: bytes


@dataclass(frozen=True)
class Record:
    """What a tracker saw at a time (s since 1970). ``position``: latitude and longitude in degrees."""

    time: int
    position: tuple[float, float] | None
    speed_kmh: float
    course: float
    battery_v: float
    pressed: bool


def encode(frame: Frame) -> bytes:
    """A frame's bytes."""
    head = _HEADER.pack(MAGIC, frame.type, len(frame.payload), frame.tracker, frame.sequence)
    return _with_checksum(head + frame.payload)


def acknowledgement(frame: Frame, status: int) -> bytes:
    """What answers a frame."""
    return encode(Frame(ACK, frame.tracker, frame.sequence, bytes([status])))


def decode(data: bytes) -> Frame | None:
    """The frame that some bytes are; None where they are none, or one that was damaged on the way."""
    if not _HEADER.size + _CRC.size <= len(data) <= MAX_FRAME:
        return None
    magic, kind, length, tracker, sequence = _HEADER.unpack_from(data)
    if magic != MAGIC or len(data) != _HEADER.size + length + _CRC.size:
        return None
    if _with_checksum(data[: -_CRC.size]) != data:
        return None
    return Frame(kind, tracker, sequence, data[_HEADER.size : -_CRC.size])


def encode_records(records: list[Record]) -> bytes:
    """The payload of a report."""
    return bytes([len(records)]) + b"".join(map(packed, records))


def records(frame: Frame) -> list[Record]:
    """The records of a report; Malformed for any other frame, and for one that is not as it should be."""
    if frame.type != REPORT:
        raise Malformed(f"a frame of type {frame.type:#x} is no report")
    count, data = frame.payload[:1], frame.payload[1:]
    if not count or not count[0] or len(data) != count[0] * _RECORD.size:
        raise Malformed(f"{len(frame.payload)} bytes are no report")
    return [_unpacked(fields) for fields in _RECORD.iter_unpack(data)]


def _with_checksum(data: bytes) -> bytes:
    return data + _CRC.pack(binascii.crc_hqx(data, 0xFFFF))


def packed(record: Record) -> bytes:
    """A record as it stands in a report."""
    latitude, longitude = record.position or (0.0, 0.0)
    return _RECORD.pack(
        record.time,
        round(latitude * 1e7),
        round(longitude * 1e7),
        round(record.speed_kmh * 10),
        round(record.course * 10),
        round(record.battery_v * 1000),
        _PRESSED * record.pressed | _NO_POSITION * (record.position is None),
    )


def _unpacked(fields: tuple[int, ...]) -> Record:
    time, latitude, longitude, speed, course, battery, flags = fields
    position = None
    if not flags & _NO_POSITION:
        position = latitude / 1e7, longitude / 1e7
        if abs(position[0]) > 90 or abs(position[1]) > 180:
            raise Malformed(f"{position} is no place on Earth")
    return Record(time, position, speed / 10, course / 10, battery / 1000, bool(flags & _PRESSED))


class Framer:
    """Frames out of a stream that may be cut anywhere, and may have anything between them.

    ``skipped`` counts bytes that belonged to no frame.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now."""
        self._rest += data
        found = []
        while (frame := self._next()) is not None:
            found.append(frame)
        return found

    @property
    def partial(self) -> bool:
        """Whether the beginning of a frame is there."""
        return bool(self._rest)

    def _next(self) -> Frame | None:
        while True:
            self._to_magic()
            if len(self._rest) < _HEADER.size:
                return None
            length = _HEADER.unpack_from(self._rest)[2]
            size = _HEADER.size + length + _CRC.size
            if length <= MAX_PAYLOAD:
                if len(self._rest) < size:
                    return None
                if (frame := decode(bytes(self._rest[:size]))) is not None:
                    del self._rest[:size]
                    return frame
            # The two bytes stood there by chance, or the frame is damaged: the next may begin within it.
            self._skip(1)

    def _to_magic(self) -> None:
        at = self._rest.find(MAGIC)
        if at < 0:
            # Its first byte may be the last that has come.
            at = len(self._rest) - self._rest.endswith(MAGIC[:1])
        self._skip(at)

    def _skip(self, count: int) -> None:
        self.skipped += count
        del self._rest[:count]
