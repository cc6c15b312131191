"""Values at the edges: from the API's JSON to the carried form (see ``schema``), and results to JSON.

A value that BigQuery would not take raises :class:`BadValue` with the reason.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from emulators.bigquery.schema import Column

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
UINT64_MAX = 2**64 - 1
# 0001-01-01 and 9999-12-31 23:59:59.999999 UTC, in microseconds: the range of TIMESTAMP.
TIMESTAMP_MIN, TIMESTAMP_MAX = -62_135_596_800_000_000, 253_402_300_799_999_999
DATE_MIN, DATE_MAX = -719_162, 2_932_896
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DATE = date(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_TIMESTAMP = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2})(?:[Tt ](\d{1,2}:\d{1,2}:\d{1,2})(\.\d{1,9})?)?"
    r"\s*([Zz]|UTC|[+-]\d{1,2}(?::?\d{2})?)?"
)
_DIGITS = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"(?i)[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?(nan|inf|infinity)")
_NUMERIC_LIMIT = Decimal("99999999999999999999999999999.999999999")
_NUMERIC_QUANTUM = Decimal("0.000000001")


class BadValue(ValueError):
    """A value that does not fit its column; the text is the reason."""


def canonical_json(text: str | bytes) -> str:
    """JSON text as BigQuery stores it: checked, no white space, keys in order, numbers in range.

    Of a key that stands twice in an object the first is kept.
    """
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(f"syntax error while parsing value: {error}") from None
    stored = canonical_json_of(value)
    given = text if isinstance(text, str) else text.decode()
    if given == stored or given == msgspec.json.encode(value).decode():
        return stored
    return canonical_json_of(json.loads(given, object_pairs_hook=_first_of_each))


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def canonical_json_of(value: Any) -> str:
    """The same of a value that is parsed already."""
    try:
        _check_json(value)
        return msgspec.json.encode(value, order="sorted").decode()
    except (OverflowError, UnicodeEncodeError, RecursionError) as error:
        raise BadValue(f"value cannot be stored as JSON: {error}") from None


def _check_json(value: Any) -> None:
    kind = type(value)
    if kind is dict:
        for item in value.values():
            _check_json(item)
    elif kind is list:
        for item in value:
            _check_json(item)
    elif kind is int:
        if not INT64_MIN <= value <= UINT64_MAX:
            raise BadValue(f"Input number: {value} cannot round-trip through string representation")
    elif kind is float and not math.isfinite(value):
        raise BadValue("number out of the range of FLOAT64")


def parse_timestamp(text: str) -> int:
    """Microseconds since the epoch of a timestamp literal: ISO 8601 with ``T`` or a blank; UTC if silent."""
    found = _TIMESTAMP.fullmatch(text.strip())
    if not found:
        raise BadValue(f"Invalid timestamp: '{text}'")
    day, clock, fraction, zone = found.groups()
    digits = (fraction or "")[1:]
    if len(digits) > 6 and digits[6:].strip("0"):
        raise BadValue(f"Invalid timestamp: '{text}' has more than microseconds")
    try:
        year, month, dom = (int(part) for part in day.split("-"))
        hour, minute, second = (int(part) for part in (clock or "0:0:0").split(":"))
        instant = datetime(year, month, dom, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise BadValue(f"Invalid timestamp: '{text}'") from None
    micros = (instant - _EPOCH) // _MICROSECOND + int(digits[:6].ljust(6, "0"))
    micros -= _zone_offset(zone) * 1_000_000
    return check_timestamp(micros)


def _zone_offset(zone: str | None) -> int:
    if not zone or zone in ("Z", "z", "UTC"):
        return 0
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 14 or minutes > 59:
        raise BadValue(f"Invalid time zone: {zone}")
    return sign * (hours * 3600 + minutes * 60)


def check_timestamp(micros: int) -> int:
    """The same number if TIMESTAMP can hold it."""
    if not TIMESTAMP_MIN <= micros <= TIMESTAMP_MAX:
        raise BadValue(f"Timestamp {micros} is out of range, microseconds from year 1 to 9999")
    return micros


def parse_date(text: str) -> int:
    """Days since the epoch."""
    try:
        year, month, dom = (int(part) for part in text.split("-"))
        return (date(year, month, dom) - _EPOCH_DATE).days
    except ValueError:
        raise BadValue(f"Invalid date: '{text}'") from None


def parse_numeric(value: Any) -> str:
    """A decimal that NUMERIC holds without loss."""
    try:
        number = Decimal(value if isinstance(value, str) and _DECIMAL.fullmatch(value) else repr(value))
    except InvalidOperation:
        raise BadValue(f"Invalid NUMERIC value: {value}") from None
    if not number.is_finite() or abs(number) > _NUMERIC_LIMIT:
        raise BadValue(f"Invalid NUMERIC value: {value}")
    if number != (rounded := number.quantize(_NUMERIC_QUANTUM)):
        raise BadValue(f"Invalid NUMERIC value: {value} has more than 9 digits after the point")
    return f"{rounded:f}"


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise BadValue("This field: value is not a scalar.")


def _int64(value: Any) -> int:
    if isinstance(value, bool):
        raise BadValue(f"Cannot convert value to integer (bad value): {value}")
    number = None
    if isinstance(value, str):
        # int() takes more: white space, underscores, digits of other scripts.
        number = int(value) if _DIGITS.fullmatch(value) else None
    elif isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        number = int(value)
    if number is None or not INT64_MIN <= number <= INT64_MAX:
        raise BadValue(f"Cannot convert value to integer (bad value): {value}")
    return number


def _float64(value: Any) -> float:
    if isinstance(value, bool):
        raise BadValue(f"Cannot convert value to floating point (bad value): {value}")
    if not isinstance(value, (int, float)) and not (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        raise BadValue(f"Cannot convert value to floating point (bad value): {value}")
    try:
        return finite(float(value))
    except OverflowError:
        raise BadValue(f"Cannot convert value to floating point (bad value): {value}") from None


def finite(value: float) -> float:
    """The same number; NaN and infinities, which no query here knows how to treat, are refused."""
    if not math.isfinite(value):
        raise BadValue(f"NaN and infinities are not supported by Fulcrum's emulator: {value}")
    return value


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise BadValue(f"Cannot convert value to boolean (bad value): {value}")


def _timestamp(value: Any) -> int:
    if isinstance(value, bool):
        raise BadValue(f"Could not parse '{value}' as a timestamp.")
    if isinstance(value, (int, float)):
        return check_timestamp(round(value * 1_000_000))
    if not isinstance(value, str):
        raise BadValue("This field: value is not a scalar.")
    return parse_timestamp(value)


def _date(value: Any) -> int:
    if not isinstance(value, str):
        raise BadValue(f"Could not parse '{value}' as a date.")
    return parse_date(value)


def _json(value: Any) -> str:
    return canonical_json(value) if isinstance(value, str) else canonical_json_of(value)


def _bytes(value: Any) -> str:
    try:
        return base64.b64encode(base64.b64decode(value, validate=True)).decode()
    except (binascii.Error, TypeError, ValueError):
        raise BadValue("Could not decode base64 string to bytes.") from None


# From a JSON value of the REST API to the carried form.
CARRIED_OF_JSON: dict[str, Callable[[Any], Any]] = {
    "STRING": _string,
    "INT64": _int64,
    "FLOAT64": _float64,
    "BOOL": _bool,
    "TIMESTAMP": _timestamp,
    "DATE": _date,
    "JSON": _json,
    "BYTES": _bytes,
    "NUMERIC": parse_numeric,
}


def carried(column: Column, value: Any) -> Any:
    """A value of ``tabledata.insertAll`` in its carried form; raises :class:`BadValue`."""
    if column.mode == "REPEATED":
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadValue("Array specified for non-repeated field is missing: value is not an array.")
        if any(item is None for item in value):
            raise BadValue("Only optional fields can be set to NULL.")
        return [CARRIED_OF_JSON[column.type](item) for item in value]
    if value is None:
        if column.mode == "REQUIRED":
            raise BadValue("Missing required field")
        return None
    return CARRIED_OF_JSON[column.type](value)


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def cell(type_name: str, value: Any) -> Any:
    """A result's value as the REST API writes it (``v`` of a cell): strings, and null."""
    if value is None:
        return None
    if type_name == "BOOL":
        return "true" if value else "false"
    if type_name == "FLOAT64":
        return _float_text(float(value))
    if type_name == "TIMESTAMP":
        return str((value - _EPOCH) // _MICROSECOND)
    if type_name == "BYTES":
        return base64.b64encode(value).decode()
    if type_name == "NUMERIC":
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
