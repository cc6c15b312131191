"""From a delivery to arrivals: every message by itself, so that a bad one costs no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fulcrum.core import fold
from functions.transponder.state import State
from shared import history, names
from shared.envelope import Delivery, unwrap
from shared.errors import Rejected
from shared.messages import DeviceDataEvent, DeviceEventAck

Message = DeviceDataEvent | DeviceEventAck


class _Typed(msgspec.Struct):
    type: Any = None


_decoder = msgspec.json.Decoder(DeviceDataEvent | DeviceEventAck)
_type_decoder = msgspec.json.Decoder(_Typed)
_NOTHING = fold.Settled({}, ())
# UnicodeDecodeError is none of msgspec's own errors; RecursionError comes from very deep nesting.
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Arrival(msgspec.Struct, eq=False):
    """One message that came, and what became of it.

    ``device`` is the name of its device's document. ``raw`` are its bytes as they came, ``index`` is its
    place in the delivery. ``rows`` are what it gives to the history of its own device, made at ``stored``
    (ms). ``before`` is the state of the device that it met, ``messages_wait`` as its document has it now. At
    most one of ``refused`` (set aside), ``lost`` (others kept writing its device first) and ``gone`` (its
    device is no more) is set; none means stored.
    """

    message: Message
    device: str
    settled: fold.Settled
    rows: list[history.Row]
    stored: int
    raw: bytes | msgspec.Raw
    index: int
    message_id: str
    before: State | None = None
    messages_wait: int | None = None
    refused: Rejected | None = None
    lost: bool = False
    gone: bool = False

    @property
    def is_stored(self) -> bool:
        """Whether history and state have it."""
        return self.refused is None and not self.lost and not self.gone


class Refusal(msgspec.Struct, frozen=True):
    """A message that could not even be decoded."""

    raw: bytes | msgspec.Raw
    index: int
    error: Rejected


class Batch(msgspec.Struct, frozen=True):
    """The messages of one delivery, with the options of this step and the rest of the route."""

    arrivals: list[Arrival]
    refusals: list[Refusal]
    options: Mapping[str, Any] = {}
    route: Any = None


def decode(delivery: Delivery, now_ms: int) -> Batch:
    """The messages of a delivery; Rejected if it cannot even be split into messages."""
    contents = unwrap(delivery.data)
    arrivals: list[Arrival] = []
    refusals: list[Refusal] = []
    for index, raw in enumerate(contents.messages):
        try:
            arrivals.append(_arrival(raw, index, now_ms, delivery.message_id))
        except Rejected as error:
            refusals.append(Refusal(raw, index, error))
        except _UNDECODABLE as error:
            refusals.append(Refusal(raw, index, _reason(raw, error)))
        except Exception as error:
            # Nothing but this message went into it, so it would fail again at every delivery.
            reason = Rejected("event.unprocessable", f"{type(error).__name__}: {error}")
            refusals.append(Refusal(raw, index, reason))
    return Batch(arrivals, refusals, contents.options, contents.route)


def _arrival(raw: msgspec.Raw, index: int, now_ms: int, message_id: str) -> Arrival:
    message = _decoder.decode(raw)
    if isinstance(message, DeviceEventAck):
        settled, rows = _NOTHING, [history.ack_row(message, now_ms, message_id)]
    else:
        settled = fold.settle(message.data) if message.data else _NOTHING
        rows = history.data_rows(message, settled, now_ms, message_id)
        if not rows:
            # Its times count for the device all the same.
            history.time_us(message.time), history.time_us(message.received_time)
    device = names.device(message.project_id, message.device_id)
    return Arrival(message, device, settled, rows, now_ms, raw, index, message_id)


def _reason(raw: msgspec.Raw, error: Exception) -> Rejected:
    """Say of an undecodable message whether it is of a foreign type or a broken one of ours."""
    if isinstance(error, msgspec.ValidationError):
        try:
            kind = _type_decoder.decode(raw).type
        except _UNDECODABLE:
            kind = None
        if kind not in ("deviceDataEventMsg", "deviceEventAckMsg"):
            return Rejected("message.unknownType", f"{kind!r} is no message that is stored")
    return Rejected("message.undecodable", f"not a message: {error}")
