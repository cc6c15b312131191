"""Functions of TIMESTAMP and DATE. All is UTC; another time zone is refused."""

from __future__ import annotations

import re

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql.calls import (
    Build,
    Function,
    call,
    cast,
    coerced,
    constant,
    constant_text,
    date_literal,
    number,
    text,
    timestamp_literal,
)
from emulators.bigquery.sql.types import kind, no_signature, typed
from emulators.bigquery.values import BadValue, parse_date, parse_timestamp

MICROS = {
    "MICROSECOND": 1,
    "MILLISECOND": 1_000,
    "SECOND": 1_000_000,
    "MINUTE": 60_000_000,
    "HOUR": 3_600_000_000,
    "DAY": 86_400_000_000,
}
_TRUNCATED = {
    **{part: part.lower() for part in MICROS},
    **{part: part.lower() for part in ("MONTH", "QUARTER", "YEAR")},
    "ISOWEEK": "week",
    "WEEK(MONDAY)": "week",
}
_DATE_UNITS = {"DAY": "day", "WEEK": "week", "MONTH": "month", "QUARTER": "quarter", "YEAR": "year"}
_EXTRACTED = {
    **{part: part.lower() for part in ("SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "QUARTER", "YEAR")},
    "DAYOFYEAR": "doy",
    "ISOWEEK": "week",
    "ISOYEAR": "isoyear",
}
# BigQuery's format elements whose DuckDB spelling is known to give the same text.
_FORMATS = {
    **{element: f"%{element}" for element in "YmdHMSyjaAbBpI%"},
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "D": "%m/%d/%y",
    "h": "%b",
    "n": "\n",
    "t": "\t",
    "E4Y": "%Y",
    "E3S": "%S.%g",
    "E6S": "%S.%f",
    "Z": "UTC",
    "z": "+0000",
    "Ez": "+00:00",
}
_ELEMENT = re.compile(r"%(E4Y|E[36*]S|Ez|.)", re.DOTALL)
_PARSED = ("Y", "m", "d", "H", "M", "S", "y", "b", "B", "j", "F", "T", "R", "%", "E4Y", "Ez", "z")


def interval_micros(interval: exp.Expr) -> exp.Expr:
    """The length of ``INTERVAL n part`` in microseconds; parts of no fixed length are refused."""
    unit = interval.args["unit"].name.upper() if interval.args.get("unit") else ""
    if unit not in MICROS:
        raise invalid_query(f"INTERVAL with the part {unit or 'missing'} is not supported for TIMESTAMP")
    return exp.Paren(this=exp.Mul(this=_amount(interval), expression=cast(number(MICROS[unit]), "BIGINT")))


def _amount(interval: exp.Expr) -> exp.Expr:
    this: exp.Expr = interval.this
    if isinstance(this, exp.Literal):
        if not re.fullmatch(r"-?\d+", this.this):
            raise invalid_query(f"Invalid INTERVAL value {this.this!r}: an integer is expected")
        return cast(number(int(this.this)), "BIGINT")
    if kind(this) not in ("INT64", None):
        raise no_signature("INTERVAL", this)
    return this


def shifted(stamp: exp.Expr, interval: exp.Expr, sign: int) -> exp.Expr:
    """A timestamp plus or minus an interval."""
    micros = interval_micros(interval)
    moved = call("bq_plus_micros", stamp, exp.Neg(this=micros) if sign < 0 else micros)
    return typed(moved, "TIMESTAMP")


def _bucket(arguments: list[exp.Expr]) -> exp.Expr:
    length = arguments[1].this
    if isinstance(constant(length), str) and int(constant(length)) <= 0:
        raise invalid_query("TIMESTAMP_BUCKET: the bucket width must be positive")
    origin = (
        coerced(arguments[2], "TIMESTAMP") if len(arguments) > 2 else timestamp_literal(-631_152_000_000_000)
    )
    return call("bq_bucket", coerced(arguments[0], "TIMESTAMP"), interval_micros(arguments[1]), origin)


def _utc(arguments: list[exp.Expr], index: int) -> None:
    if len(arguments) > index:
        zone = constant_text(arguments[index], "A time zone, in this emulator,")
        if zone.upper() not in ("UTC", "+00:00", "ETC/UTC", "+0"):
            raise unsupported_sql(f"Time zone {zone!r}")


def _timestamp_trunc(arguments: list[exp.Expr]) -> exp.Expr:
    _utc(arguments, 2)
    return _truncated(coerced(arguments[0], "TIMESTAMP"), arguments[1].name.upper())


def _date_trunc(arguments: list[exp.Expr]) -> exp.Expr:
    part = arguments[1].name.upper()
    if part in MICROS and part != "DAY":
        raise invalid_query(f"DATE_TRUNC does not support the {part} date part")
    return cast(_truncated(coerced(arguments[0], "DATE"), part), "DATE")


def _truncated(value: exp.Expr, part: str) -> exp.Expr:
    if part in ("WEEK", "WEEK(SUNDAY)"):
        return call("bq_trunc_week", value)
    if part not in _TRUNCATED:
        raise unsupported_sql(f"Truncation to {part}")
    return call("date_trunc", text(_TRUNCATED[part]), value)


def _timestamp_diff(arguments: list[exp.Expr]) -> exp.Expr:
    part = arguments[2].name.upper()
    if part not in MICROS:
        raise invalid_query(f"TIMESTAMP_DIFF does not support the {part} date part")
    micros = call("bq_micros_between", *(coerced(item, "TIMESTAMP") for item in arguments[:2]))
    return call("bq_div", micros, cast(number(MICROS[part]), "BIGINT"))


def _date_diff(arguments: list[exp.Expr]) -> exp.Expr:
    part = arguments[2].name.upper()
    if part != "DAY":
        raise unsupported_sql(f"DATE_DIFF by {part}")
    left, right = (coerced(item, "DATE") for item in arguments[:2])
    return cast(exp.Paren(this=exp.Sub(this=left, expression=right)), "BIGINT")


def _date_shift(sign: int) -> Build:
    def build(arguments: list[exp.Expr]) -> exp.Expr:
        interval = arguments[1]
        unit = interval.args["unit"].name.upper() if interval.args.get("unit") else ""
        if unit not in _DATE_UNITS:
            raise invalid_query(f"INTERVAL with the part {unit} is not supported for DATE")
        days = call(f"to_{_DATE_UNITS[unit]}s", cast(_amount(interval), "INTEGER"))
        date = coerced(arguments[0], "DATE")
        made = exp.Add(this=date, expression=days) if sign > 0 else exp.Sub(this=date, expression=days)
        return call("bq_date", cast(exp.Paren(this=made), "DATE"))

    return build


def extracted(part: str, value: exp.Expr) -> exp.Expr:
    """EXTRACT(part FROM value)."""
    found = kind(value)
    if found not in ("TIMESTAMP", "DATE"):
        raise no_signature("EXTRACT", value)
    if found == "DATE" and part in ("HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"):
        raise invalid_query(f"EXTRACT from DATE does not support the {part} date part")
    if part == "DATE":
        return typed(cast(value, "DATE"), "DATE")
    if part == "DAYOFWEEK":
        made: exp.Expr = exp.Paren(
            this=exp.Add(this=call("date_part", text("dow"), value), expression=number(1))
        )
    elif part == "WEEK":
        made = cast(call("strftime", value, text("%U")), "BIGINT")
    elif part in ("MILLISECOND", "MICROSECOND"):
        made = call("bq_second_part", value, number(MICROS[part]))
    elif part in _EXTRACTED:
        made = call("date_part", text(_EXTRACTED[part]), value)
    else:
        raise unsupported_sql(f"EXTRACT of {part}")
    return typed(cast(made, "BIGINT"), "INT64")


def duckdb_format(source: str) -> str:
    """A format string of FORMAT_TIMESTAMP for DuckDB's strftime."""

    def element(found: re.Match[str]) -> str:
        known = _FORMATS.get(found.group(1))
        if known is None:
            raise unsupported_sql(f"The format element %{found.group(1)}")
        return known

    return _ELEMENT.sub(element, source)


def _format_timestamp(arguments: list[exp.Expr]) -> exp.Expr:
    _utc(arguments, 2)
    form = duckdb_format(constant_text(arguments[0], "A format, in this emulator,"))
    return call("bq_format", coerced(arguments[1], "TIMESTAMP"), text(form))


def _format_date(arguments: list[exp.Expr]) -> exp.Expr:
    form = constant_text(arguments[0], "A format, in this emulator,")
    if re.search(r"%(H|M|S|T|R|p|I|Z|z|E[z36])", form):
        raise unsupported_sql(f"FORMAT_DATE with elements of time: {form!r}")
    return call("bq_format", coerced(arguments[1], "DATE"), text(duckdb_format(form)))


def _parse_format(source: str) -> list[str]:
    # BigQuery takes 1970 for a year that is not there, DuckDB 1900.
    if not {found.group(1) for found in _ELEMENT.finditer(source)} & {"Y", "y", "F", "E4Y"}:
        raise unsupported_sql("Parsing without a year")
    for found in _ELEMENT.finditer(source):
        if found.group(1) not in (*_PARSED, "E*S", "E3S", "E6S"):
            raise unsupported_sql(f"Parsing by the format element %{found.group(1)}")
    zoned = source.replace("%Ez", "%z")
    forms = [zoned.replace(part, "%S.%f") for part in ("%E3S", "%E6S") if part in zoned] or [zoned]
    if "%E*S" in zoned:
        forms = [form.replace("%E*S", fraction) for form in forms for fraction in ("%S.%f", "%S")]
    return [form.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%R", "%H:%M") for form in forms]


def _parsed(arguments: list[exp.Expr], to: str) -> exp.Expr:
    forms = _parse_format(constant_text(arguments[0], "A format, in this emulator,"))
    formats = exp.Array(expressions=[text(form) for form in forms])
    return cast(call("strptime", arguments[1], formats), to)


def _parse_timestamp(arguments: list[exp.Expr]) -> exp.Expr:
    _utc(arguments, 2)
    return _parsed(arguments, "TIMESTAMPTZ")


def _timestamp(arguments: list[exp.Expr]) -> exp.Expr:
    _utc(arguments, 1)
    found = kind(arguments[0])
    if found == "STRING":
        value = constant(arguments[0])
        if isinstance(value, str):
            try:
                return timestamp_literal(parse_timestamp(value))
            except BadValue as error:
                raise invalid_query(str(error)) from None
        return call("bq_string_to_timestamp", arguments[0])
    if found in ("DATE", "TIMESTAMP"):
        return cast(arguments[0], "TIMESTAMPTZ")
    raise no_signature("function TIMESTAMP", *arguments)


def _date(arguments: list[exp.Expr]) -> exp.Expr:
    found = kind(arguments[0])
    if len(arguments) == 3:
        return call("bq_date", call("make_date", *arguments))
    if found == "TIMESTAMP":
        _utc(arguments, 1)
        return cast(arguments[0], "DATE")
    if found == "DATE" and len(arguments) == 1:
        return arguments[0]
    if found == "STRING" and isinstance(value := constant(arguments[0]), str):
        try:
            return date_literal(parse_date(value))
        except BadValue as error:
            raise invalid_query(str(error)) from None
    raise no_signature("function DATE", *arguments)


def _unix(divisor: int) -> Build:
    return lambda arguments: call(
        "bq_unix", coerced(arguments[0], "TIMESTAMP"), cast(number(divisor), "BIGINT")
    )


def _from_unix(factor: int) -> Build:
    return lambda arguments: call(
        "bq_timestamp", exp.Paren(this=exp.Mul(this=arguments[0], expression=cast(number(factor), "BIGINT")))
    )


def _generate_timestamps(arguments: list[exp.Expr]) -> exp.Expr:
    start, end = (coerced(item, "TIMESTAMP") for item in arguments[:2])
    series = call("generate_series", start, end, call("to_microseconds", interval_micros(arguments[2])))
    return series


TIME_FUNCTIONS = {
    "TIMESTAMP_BUCKET": Function("TIMESTAMP", ("TIMESTAMP", "INTERVAL", "TIMESTAMP?"), _bucket),
    "TIMESTAMP_TRUNC": Function("TIMESTAMP", ("TIMESTAMP", "PART", "STRING?"), _timestamp_trunc),
    "DATE_TRUNC": Function("DATE", ("DATE", "PART"), _date_trunc),
    "TIMESTAMP_ADD": Function(
        "TIMESTAMP", ("TIMESTAMP", "INTERVAL"), lambda a: shifted(coerced(a[0], "TIMESTAMP"), a[1], 1)
    ),
    "TIMESTAMP_SUB": Function(
        "TIMESTAMP", ("TIMESTAMP", "INTERVAL"), lambda a: shifted(coerced(a[0], "TIMESTAMP"), a[1], -1)
    ),
    "TIMESTAMP_DIFF": Function("INT64", ("TIMESTAMP", "TIMESTAMP", "PART"), _timestamp_diff),
    "DATE_ADD": Function("DATE", ("DATE", "INTERVAL"), _date_shift(1)),
    "DATE_SUB": Function("DATE", ("DATE", "INTERVAL"), _date_shift(-1)),
    "DATE_DIFF": Function("INT64", ("DATE", "DATE", "PART"), _date_diff),
    "FORMAT_TIMESTAMP": Function("STRING", ("STRING", "TIMESTAMP", "STRING?"), _format_timestamp),
    "FORMAT_DATE": Function("STRING", ("STRING", "DATE"), _format_date),
    "PARSE_TIMESTAMP": Function("TIMESTAMP", ("STRING", "STRING", "STRING?"), _parse_timestamp),
    "PARSE_DATE": Function("DATE", ("STRING", "STRING"), lambda a: _parsed(a, "DATE")),
    "TIMESTAMP": Function("TIMESTAMP", ("ANY", "STRING?"), _timestamp),
    "DATE": Function("DATE", ("ANY", "ANY?", "INT64?"), _date),
    "UNIX_SECONDS": Function("INT64", ("TIMESTAMP",), _unix(1_000_000)),
    "UNIX_MILLIS": Function("INT64", ("TIMESTAMP",), _unix(1_000)),
    "UNIX_MICROS": Function("INT64", ("TIMESTAMP",), _unix(1)),
    "TIMESTAMP_SECONDS": Function("TIMESTAMP", ("INT64",), _from_unix(1_000_000)),
    "TIMESTAMP_MILLIS": Function("TIMESTAMP", ("INT64",), _from_unix(1_000)),
    "TIMESTAMP_MICROS": Function("TIMESTAMP", ("INT64",), _from_unix(1)),
    "GENERATE_TIMESTAMP_ARRAY": Function(
        "ARRAY<TIMESTAMP>", ("TIMESTAMP", "TIMESTAMP", "INTERVAL"), _generate_timestamps
    ),
}
