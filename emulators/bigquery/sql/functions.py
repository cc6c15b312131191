"""The allow-list: every function that this emulator answers, each with a test. The rest is refused."""

from __future__ import annotations

import re

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql.aggregates import AGGREGATES
from emulators.bigquery.sql.calls import Build, Function, call, cast, constant, constant_text, number, text
from emulators.bigquery.sql.casts import converted
from emulators.bigquery.sql.json_functions import JSON_FUNCTIONS
from emulators.bigquery.sql.time_functions import TIME_FUNCTIONS
from emulators.bigquery.sql.types import comparable, kind, no_signature

_SPACE = " \t\n\v\f\r"


def _alike(name: str, arguments: list[exp.Expr]) -> None:
    for argument in arguments[1:]:
        if not comparable(kind(arguments[0]), kind(argument)):
            raise no_signature(f"function {name}", *arguments)


def _concat(arguments: list[exp.Expr]) -> exp.Expr:
    if any(kind(item) == "BYTES" for item in arguments):
        raise unsupported_sql("CONCAT of BYTES")
    made = converted(arguments[0], "STRING")
    for argument in arguments[1:]:
        made = exp.DPipe(this=made, expression=converted(argument, "STRING"), safe=True)
    return exp.Paren(this=made)


def _extreme(name: str) -> Build:
    def build(arguments: list[exp.Expr]) -> exp.Expr:
        _alike(name.upper(), arguments)
        # GREATEST and LEAST are NULL where one argument is; DuckDB's skip it.
        missing: exp.Expr = exp.false()
        for argument in arguments:
            missing = exp.Or(this=missing, expression=exp.Is(this=argument.copy(), expression=exp.Null()))
        return exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=call(name, *arguments))

    return build


def _chosen(name: str, duckdb: str) -> Build:
    def build(arguments: list[exp.Expr]) -> exp.Expr:
        _alike(name, arguments)
        return call(duckdb, *arguments)

    return build


def _real(name: str) -> Build:
    return lambda arguments: call(name, cast(arguments[0], "DOUBLE"))


def _round(arguments: list[exp.Expr]) -> exp.Expr:
    return call("bq_round", *arguments) if len(arguments) == 1 else call("bq_round_to", *arguments)


def _log(arguments: list[exp.Expr]) -> exp.Expr:
    return call("bq_ln", cast(arguments[0], "DOUBLE"))


def _safe(name: str) -> Build:
    """SAFE_ADD and its kin for doubles: of two INT64 the result would be one too."""

    def build(arguments: list[exp.Expr]) -> exp.Expr:
        if not any(kind(argument) == "FLOAT64" for argument in arguments):
            raise unsupported_sql(f"{name} of whole numbers")
        return call(f"bq_{name.lower()}", *arguments)

    return build


def _substr(arguments: list[exp.Expr]) -> exp.Expr:
    return call("bq_substr" if len(arguments) == 2 else "bq_substr_of", *arguments)


def _trimmed(name: str) -> Build:
    return lambda arguments: call(name, arguments[0], arguments[1] if len(arguments) > 1 else text(_SPACE))


def _pattern(node: exp.Expr) -> str:
    pattern = constant_text(node, "A regular expression, in this emulator,")
    try:
        re.compile(pattern)
    except re.error as error:
        raise invalid_query(f"Cannot parse regular expression: {error}") from None
    return pattern


def _regexp_contains(arguments: list[exp.Expr]) -> exp.Expr:
    return call("regexp_matches", arguments[0], text(_pattern(arguments[1])))


def _regexp_extract(arguments: list[exp.Expr]) -> exp.Expr:
    pattern = _pattern(arguments[1])
    groups = re.compile(pattern).groups
    if groups > 1:
        raise invalid_query(
            "Regular expressions passed into extraction functions must not have more than 1 capturing group"
        )
    if groups and re.search(r"\||\)[?*{]", pattern):
        return call("bq_regexp_extract_maybe", arguments[0], text(pattern))
    return call("bq_regexp_extract", arguments[0], text(pattern), number(groups))


def _regexp_replace(arguments: list[exp.Expr]) -> exp.Expr:
    return call("regexp_replace", arguments[0], text(_pattern(arguments[1])), arguments[2], text("g"))


def _length(arguments: list[exp.Expr]) -> exp.Expr:
    return cast(call("octet_length" if kind(arguments[0]) == "BYTES" else "length", arguments[0]), "BIGINT")


def _split(arguments: list[exp.Expr]) -> exp.Expr:
    separator = arguments[1] if len(arguments) > 1 else text(",")
    if constant(separator) in (None, ""):
        raise unsupported_sql("SPLIT by an empty or computed separator")
    return call("string_split", arguments[0], separator)


def _generate_array(arguments: list[exp.Expr]) -> exp.Expr:
    if len(arguments) > 2 and constant(arguments[2]) in (None, 0):
        raise invalid_query("GENERATE_ARRAY: the step must be a literal other than 0")
    return call("generate_series", *arguments)


_SCALARS = {
    "COALESCE": Function("=0", ("ANY", "ANY*"), _chosen("COALESCE", "coalesce")),
    "IFNULL": Function("=0", ("ANY", "ANY"), _chosen("IFNULL", "coalesce")),
    "NULLIF": Function("=0", ("GROUPABLE", "GROUPABLE"), _chosen("NULLIF", "nullif")),
    "GREATEST": Function("=0", ("GROUPABLE", "GROUPABLE*"), _extreme("greatest")),
    "LEAST": Function("=0", ("GROUPABLE", "GROUPABLE*"), _extreme("least")),
    "ERROR": Function("INT64", ("STRING",), "error"),
    "ABS": Function("=0", ("NUMBER",), "abs"),
    "SIGN": Function("INT64", ("INT64",), lambda a: cast(call("sign", *a), "BIGINT")),
    "ROUND": Function("FLOAT64", ("REAL", "INT64?"), _round),
    "FLOOR": Function("FLOAT64", ("REAL",), _real("floor")),
    "CEIL": Function("FLOAT64", ("REAL",), _real("ceil")),
    "CEILING": Function("FLOAT64", ("REAL",), _real("ceil")),
    "TRUNC": Function("FLOAT64", ("REAL",), _real("trunc")),
    "SQRT": Function("FLOAT64", ("REAL",), _real("bq_sqrt")),
    "EXP": Function("FLOAT64", ("REAL",), _real("bq_exp")),
    "LN": Function("FLOAT64", ("REAL",), _log),
    "LOG": Function("FLOAT64", ("REAL",), _log),
    "SIN": Function("FLOAT64", ("REAL",), _real("sin")),
    "COS": Function("FLOAT64", ("REAL",), _real("cos")),
    "ASIN": Function("FLOAT64", ("REAL",), _real("bq_asin")),
    "LOG10": Function("FLOAT64", ("REAL",), _real("bq_log10")),
    "MOD": Function("INT64", ("INT64", "INT64"), "bq_mod"),
    "DIV": Function("INT64", ("INT64", "INT64"), "bq_div"),
    "SAFE_DIVIDE": Function("FLOAT64", ("REAL", "REAL"), "bq_safe_divide"),
    "SAFE_ADD": Function("FLOAT64", ("REAL", "REAL"), _safe("SAFE_ADD")),
    "SAFE_SUBTRACT": Function("FLOAT64", ("REAL", "REAL"), _safe("SAFE_SUBTRACT")),
    "SAFE_MULTIPLY": Function("FLOAT64", ("REAL", "REAL"), _safe("SAFE_MULTIPLY")),
    "CONCAT": Function("STRING", ("ANY", "ANY*"), _concat),
    "LOWER": Function("STRING", ("STRING",), "bq_lower"),
    "UPPER": Function("STRING", ("STRING",), "bq_upper"),
    "LENGTH": Function("INT64", ("TEXT",), _length),
    "CHAR_LENGTH": Function("INT64", ("STRING",), _length),
    "BYTE_LENGTH": Function("INT64", ("STRING",), lambda a: cast(call("strlen", *a), "BIGINT")),
    "SUBSTR": Function("STRING", ("STRING", "INT64", "INT64?"), _substr),
    "SUBSTRING": Function("STRING", ("STRING", "INT64", "INT64?"), _substr),
    "LEFT": Function("STRING", ("STRING", "INT64"), "bq_left"),
    "RIGHT": Function("STRING", ("STRING", "INT64"), "bq_right"),
    "TRIM": Function("STRING", ("STRING", "STRING?"), _trimmed("trim")),
    "LTRIM": Function("STRING", ("STRING", "STRING?"), _trimmed("ltrim")),
    "RTRIM": Function("STRING", ("STRING", "STRING?"), _trimmed("rtrim")),
    "REPLACE": Function("STRING", ("STRING", "STRING", "STRING"), "replace"),
    "STARTS_WITH": Function("BOOL", ("STRING", "STRING"), "starts_with"),
    "ENDS_WITH": Function("BOOL", ("STRING", "STRING"), "ends_with"),
    "STRPOS": Function("INT64", ("STRING", "STRING"), lambda a: cast(call("instr", *a), "BIGINT")),
    "SPLIT": Function("ARRAY<STRING>", ("STRING", "STRING?"), _split),
    "REGEXP_CONTAINS": Function("BOOL", ("STRING", "STRING"), _regexp_contains),
    "REGEXP_EXTRACT": Function("STRING", ("STRING", "STRING"), _regexp_extract),
    "REGEXP_REPLACE": Function("STRING", ("STRING", "STRING", "STRING"), _regexp_replace),
    "TO_HEX": Function("STRING", ("BYTES",), "bq_to_hex"),
    "FROM_HEX": Function("BYTES", ("STRING",), "from_hex"),
    "TO_BASE64": Function("STRING", ("BYTES",), "to_base64"),
    "FROM_BASE64": Function("BYTES", ("STRING",), "from_base64"),
    "MD5": Function("BYTES", ("TEXT",), "bq_md5"),
    "SHA1": Function("BYTES", ("TEXT",), "bq_sha1"),
    "SHA256": Function("BYTES", ("TEXT",), "bq_sha256"),
    "ARRAY_LENGTH": Function("INT64", ("ARRAY",), lambda a: cast(call("len", *a), "BIGINT")),
    "ARRAY_TO_STRING": Function("STRING", ("ARRAY", "STRING"), "array_to_string"),
    "ARRAY_REVERSE": Function("=0", ("ARRAY",), "list_reverse"),
    "GENERATE_ARRAY": Function("ARRAY<INT64>", ("INT64", "INT64", "INT64?"), _generate_array),
}
FUNCTIONS: dict[str, Function] = {**_SCALARS, **AGGREGATES, **JSON_FUNCTIONS, **TIME_FUNCTIONS}
