"""DuckDB macros that give GoogleSQL's meaning where DuckDB's own function of that name differs.

All are scalar; ``p`` is a JSON path as ``json_functions`` writes it. An argument may be evaluated more
than once, so that none of them is called with a volatile expression. ``error`` is BigQuery's error, which
SAFE turns into NULL; ``refuse`` is this emulator's, which nothing turns into an answer.
"""

from __future__ import annotations

import re

from emulators.bigquery.values import TIMESTAMP_MAX, TIMESTAMP_MIN

_NUMBER = "('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')"
# What the LAX functions take a JSON string for a number by.
_NUMERIC_TEXT = r"'[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?'"
_INT64_TEXT = r"'[+-]?\d+'"
_FLOAT64_TEXT = r"'[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?'"
# Texts that BigQuery may take for a number where this emulator does not: white space, hexadecimal, NaN.
_ODD_NUMBER = r"'(?i)\s*[+-]?(0x[0-9a-f]+|nan|inf|infinity|[0-9.]+(e[+-]?[0-9]+)?)\s*'"
_ODD_TIME = r"'\s*\d{4}-\d.*'"
_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_HOUR = r"([01]?\d|2[0-3])"
# Letters whose case DuckDB changes one by one, while Unicode's full mapping gives several or looks around.
_ODD_UPPER = (
    r"'[\x{DF}\x{149}\x{1F0}\x{390}\x{3B0}\x{587}\x{1E96}-\x{1E9A}\x{1F50}-\x{1F56}"
    r"\x{1F80}-\x{1FFC}\x{FB00}-\x{FB17}]'"
)
_ODD_LOWER = r"'[\x{130}\x{3A3}]'"

_JSON = (
    "bq_json_or_null(s) AS CASE WHEN json_valid(s) THEN s::JSON END",
    # BigQuery writes numbers from 1e15 on with an exponent, DuckDB from 1e16 on.
    r"""bq_json_number(x) AS CASE WHEN abs(x) >= 1e15 AND abs(x) < 1e16 THEN regexp_replace(regexp_replace(
        x::VARCHAR, '^(-?\d)(\d{15})\.0$', '\1.\2e+15'), '\.?0*e', 'e') ELSE x::VARCHAR END""",
    """bq_json_value(j, p) AS CASE WHEN json_type(j, p) IN ('OBJECT', 'ARRAY') THEN NULL
        WHEN json_type(j, p) = 'DOUBLE' THEN bq_json_number(json_extract_string(j, p)::DOUBLE)
        ELSE json_extract_string(j, p) END""",
    """bq_json_value_text(s, p) AS CASE WHEN json_type(bq_json_or_null(s), p) = 'DOUBLE'
        THEN refuse('A number with a point or exponent in JSON that is a STRING')
        WHEN json_type(bq_json_or_null(s), p) IN ('OBJECT', 'ARRAY') THEN NULL
        ELSE json_extract_string(bq_json_or_null(s), p) END""",
    r"""bq_json_query_text(s, p) AS CASE WHEN regexp_matches(s, '\\\\|[0-9][.eE]')
        THEN refuse('An escape, or a number with a point or exponent, in JSON that is a STRING')
        WHEN json_type(bq_json_or_null(s), p) = 'NULL' THEN NULL
        ELSE json_extract(bq_json_or_null(s), p)::VARCHAR END""",
    f"""bq_json_type(j) AS CASE WHEN j IS NULL THEN NULL WHEN json_type(j) IN {_NUMBER} THEN 'number'
        WHEN json_type(j) = 'VARCHAR' THEN 'string' ELSE lower(json_type(j)) END""",
    """bq_json_string(j) AS CASE WHEN j IS NULL THEN NULL
        WHEN json_type(j) = 'VARCHAR' THEN json_extract_string(j, '$')
        ELSE error('The provided JSON input is not a string') END""",
    """bq_json_bool(j) AS CASE WHEN j IS NULL THEN NULL
        WHEN json_type(j) = 'BOOLEAN' THEN json_extract_string(j, '$') = 'true'
        ELSE error('The provided JSON input is not a boolean') END""",
    f"""bq_json_float64(j) AS CASE WHEN j IS NULL THEN NULL
        WHEN json_type(j) IN {_NUMBER} THEN json_extract_string(j, '$')::DOUBLE
        ELSE error('The provided JSON input is not a number') END""",
    f"""bq_json_int64(j) AS CASE WHEN j IS NULL THEN NULL
        WHEN json_type(j) IN ('BIGINT', 'UBIGINT') THEN json_extract_string(j, '$')::BIGINT
        WHEN json_type(j) IN {_NUMBER} AND json_extract_string(j, '$')::DOUBLE = trunc(
            json_extract_string(j, '$')::DOUBLE) THEN json_extract_string(j, '$')::DOUBLE::BIGINT
        ELSE error('The provided JSON input is not an integer') END""",
    f"""bq_lax_string(j) AS CASE WHEN json_type(j) = 'DOUBLE'
        THEN bq_json_number(json_extract_string(j, '$')::DOUBLE)
        WHEN json_type(j) IN ('VARCHAR', 'BOOLEAN') OR json_type(j) IN {_NUMBER}
        THEN json_extract_string(j, '$') END""",
    f"""bq_lax_bool(j) AS CASE WHEN json_type(j) = 'BOOLEAN' THEN json_extract_string(j, '$') = 'true'
        WHEN json_type(j) = 'VARCHAR' AND lower(json_extract_string(j, '$')) = 'true' THEN true
        WHEN json_type(j) = 'VARCHAR' AND lower(json_extract_string(j, '$')) = 'false' THEN false
        WHEN json_type(j) IN {_NUMBER} THEN json_extract_string(j, '$')::DOUBLE <> 0 END""",
    f"""bq_lax_int64(j) AS CASE
        WHEN json_type(j) = 'BOOLEAN' THEN (json_extract_string(j, '$') = 'true')::BIGINT
        WHEN json_type(j) IN ('BIGINT', 'UBIGINT') OR (json_type(j) = 'VARCHAR'
            AND regexp_full_match(json_extract_string(j, '$'), {_INT64_TEXT}))
            THEN TRY_CAST(json_extract_string(j, '$') AS BIGINT)
        WHEN json_type(j) IN {_NUMBER} OR (json_type(j) = 'VARCHAR'
            AND regexp_full_match(json_extract_string(j, '$'), {_NUMERIC_TEXT}))
            THEN TRY_CAST(round(json_extract_string(j, '$')::DOUBLE) AS BIGINT) END""",
    f"""bq_lax_float64(j) AS CASE WHEN json_type(j) IN {_NUMBER} OR (json_type(j) = 'VARCHAR'
            AND regexp_full_match(json_extract_string(j, '$'), {_NUMERIC_TEXT}))
        THEN CASE WHEN isfinite(TRY_CAST(json_extract_string(j, '$') AS DOUBLE))
            THEN TRY_CAST(json_extract_string(j, '$') AS DOUBLE)
            ELSE refuse('A number out of the range of FLOAT64') END
        WHEN json_type(j) = 'VARCHAR'
            AND regexp_full_match(lower(json_extract_string(j, '$')), '[+-]?(nan|inf|infinity)')
        THEN refuse('NaN and infinities') END""",
    r"""bq_json_text(j) AS CASE WHEN regexp_matches(
        j::VARCHAR, '(^|[\[:,])-?[0-9.]+[eE]|(^|[\[:,])-?[0-9]{16}\.0')
        THEN refuse('Text of JSON numbers that need an exponent') ELSE coalesce(j::VARCHAR, 'null') END""",
    # Strict mode: what stands in arrays is left out. DuckDB quotes more keys than BigQuery does.
    r"""bq_json_plain_key(k) AS regexp_replace(substr(k, 3), '"([A-Za-z0-9_]+)"', '\1', 'g')""",
    """bq_json_keys(j) AS CASE WHEN j IS NULL THEN NULL ELSE (SELECT CASE
        WHEN bool_or(contains(bq_json_plain_key(fullkey), '"'))
        THEN refuse('JSON_KEYS of keys with other characters than letters, digits and _')
        ELSE coalesce(list(DISTINCT bq_json_plain_key(fullkey) ORDER BY bq_json_plain_key(fullkey)), []) END
        FROM json_tree(j) WHERE fullkey <> '$' AND NOT contains(fullkey, '[')) END""",
    """bq_json_array(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN json_extract(j, '$[*]') END""",
    """bq_json_value_array(j) AS CASE WHEN json_type(j) = 'ARRAY' AND NOT list_contains(
            list_transform(json_extract(j, '$[*]'), lambda x: json_type(x) IN ('ARRAY', 'OBJECT')), true)
        THEN list_transform(json_extract(j, '$[*]'), lambda x: bq_json_value(x, '$')) END""",
)
_NUMBERS = (
    # The list makes that x is evaluated once: these calls stand inside one another.
    """bq_finite(x) AS list_transform([x], lambda v: CASE WHEN v IS NULL OR isfinite(v) THEN v
        ELSE error('double overflow') END)[1]""",
    "bq_exp(x) AS bq_finite(exp(x))",
    """bq_divide(a, b) AS CASE WHEN b = 0 THEN error('division by zero')
        ELSE bq_finite(a::DOUBLE / b::DOUBLE) END""",
    "bq_safe_divide(a, b) AS CASE WHEN b <> 0 AND isfinite(a::DOUBLE / b::DOUBLE) "
    "THEN a::DOUBLE / b::DOUBLE END",
    # These are NULL where the plain operators overflow.
    *(
        f"""bq_safe_{name}(a, b) AS list_transform([a::DOUBLE {sign} b::DOUBLE],
        lambda v: CASE WHEN isfinite(v) THEN v END)[1]"""
        for name, sign in (("add", "+"), ("subtract", "-"), ("multiply", "*"))
    ),
    "bq_div(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE (a - a % b) // b END",
    "bq_mod(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a % b END",
    "bq_round(x) AS round(x::DOUBLE)",
    """bq_scaled(x, n) AS CASE WHEN n >= 0 THEN round(x * pow(10, n)) / pow(10, n)
        ELSE round(x / pow(10, -n)) * pow(10, -n) END""",
    # Near the middle of two results it depends on how one computes: only what is certain is answered.
    """bq_round_to(x, n) AS CASE WHEN abs(round(x::DOUBLE, n::INTEGER) - bq_scaled(x::DOUBLE, n::INTEGER))
        > 0.5 * pow(10, -n) THEN refuse('ROUND of a number this close to the middle of two results')
        ELSE round(x::DOUBLE, n::INTEGER) END""",
    "bq_sqrt(x) AS CASE WHEN x < 0 THEN error('Argument to SQRT cannot be negative') ELSE sqrt(x) END",
    "bq_asin(x) AS CASE WHEN x < -1 OR x > 1 THEN error('Argument to ASIN must be between -1 and 1') "
    "ELSE asin(x) END",
    "bq_ln(x) AS CASE WHEN x <= 0 THEN error('Argument to LN must be positive') ELSE ln(x) END",
    "bq_log10(x) AS CASE WHEN x <= 0 THEN error('Argument to LOG10 must be positive') ELSE log10(x) END",
    "bq_floor_div(a, b) AS (a - (((a % b) + b) % b)) // b",
    "bq_item(a, i) AS CASE WHEN a IS NULL OR i IS NULL THEN NULL WHEN i < 0 OR i >= len(a) "
    "THEN error('Array index ' || i || ' is out of bounds') ELSE a[i + 1] END",
    "bq_safe_item(a, i) AS CASE WHEN i >= 0 THEN a[i + 1] END",
    "bq_in_array(x, a) AS CASE WHEN a IS NULL OR len(a) = 0 THEN false WHEN x IS NULL THEN NULL "
    "WHEN list_contains(a, x) THEN true WHEN len(a) > list_count(a) THEN NULL ELSE false END",
)
_TEXT = (
    f"""bq_string_to_int64(s) AS CASE WHEN s IS NULL THEN NULL
        WHEN regexp_full_match(s, {_INT64_TEXT}) THEN CAST(s AS BIGINT)
        WHEN regexp_full_match(s, '(?i)\\s*[+-]?(0x[0-9a-f]+|\\d+)\\s*') THEN refuse('The number ' || s)
        ELSE error('Bad int64 value: ' || s) END""",
    f"""bq_string_to_float64(s) AS CASE WHEN s IS NULL THEN NULL
        WHEN regexp_full_match(s, {_FLOAT64_TEXT}) AND isfinite(CAST(s AS DOUBLE)) THEN CAST(s AS DOUBLE)
        WHEN regexp_full_match(s, {_ODD_NUMBER}) THEN refuse('The number ' || s)
        ELSE error('Bad double value: ' || s) END""",
    f"""bq_string_to_numeric(s) AS CASE WHEN s IS NULL THEN NULL
        WHEN regexp_full_match(s, '[+-]?(\\d+(\\.\\d*)?|\\.\\d+)') THEN CAST(s AS DECIMAL(38,9))
        WHEN regexp_full_match(s, {_ODD_NUMBER}) THEN refuse('The number ' || s)
        ELSE error('Invalid NUMERIC value: ' || s) END""",
    """bq_string_to_bool(s) AS CASE WHEN s IS NULL THEN NULL WHEN lower(s) = 'true' THEN true
        WHEN lower(s) = 'false' THEN false ELSE error('Bad bool value: ' || s) END""",
    f"""bq_string_to_timestamp(s) AS CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s,
        '{_DAY}([Tt ]{_HOUR}:\\d{{1,2}}:\\d{{1,2}}(\\.\\d{{1,6}})?([Zz]|[+-]\\d{{2}}(:\\d{{2}})?| UTC)?)?')
        THEN CAST(replace(s, ' UTC', '+00') AS TIMESTAMPTZ)
        WHEN regexp_full_match(s, {_ODD_TIME}) THEN refuse('A timestamp of the form ' || s)
        ELSE error('Invalid timestamp: ''' || s || '''') END""",
    f"""bq_string_to_date(s) AS CASE WHEN s IS NULL THEN NULL
        WHEN regexp_full_match(s, '{_DAY}') THEN CAST(s AS DATE)
        WHEN regexp_full_match(s, {_ODD_TIME}) THEN refuse('A date of the form ' || s)
        ELSE error('Invalid date: ''' || s || '''') END""",
    # BigQuery calls its text approximate: only numbers of up to 15 digits have one that is certain.
    """bq_float64_to_string(x) AS CASE WHEN x = 0 THEN '0' WHEN CAST(printf('%.15g', x) AS DOUBLE) = x
        THEN printf('%.15g', x) WHEN x IS NOT NULL
        THEN refuse('The text of a FLOAT64 of more than 15 digits') END""",
    f"""bq_upper(s) AS CASE WHEN regexp_matches(s, {_ODD_UPPER})
        THEN refuse('UPPER of letters without a single capital') ELSE upper(s) END""",
    f"""bq_lower(s) AS CASE WHEN regexp_matches(s, {_ODD_LOWER})
        THEN refuse('LOWER of the letters \u0130 and \u03a3') ELSE lower(s) END""",
    """bq_timestamp_to_string(t) AS CASE WHEN epoch_us(t) % 1000000 = 0 THEN strftime(t, '%Y-%m-%d %H:%M:%S')
        WHEN epoch_us(t) % 1000 = 0 THEN strftime(t, '%Y-%m-%d %H:%M:%S.%g')
        ELSE strftime(t, '%Y-%m-%d %H:%M:%S.%f') END || '+00'""",
    """bq_substr(s, p) AS CASE WHEN s IS NULL OR p IS NULL THEN NULL
        ELSE substring(s, CASE WHEN p = 0 OR p < -length(s) THEN 1 ELSE p END) END""",
    """bq_substr_of(s, p, n) AS CASE WHEN s IS NULL OR p IS NULL OR n IS NULL THEN NULL
        WHEN n < 0 THEN error('Third argument in SUBSTR() cannot be negative')
        ELSE substring(s, CASE WHEN p = 0 OR p < -length(s) THEN 1 ELSE p END, n) END""",
    "bq_regexp_extract(s, r, g) AS CASE WHEN regexp_matches(s, r) THEN regexp_extract(s, r, g) END",
    """bq_regexp_extract_maybe(s, r) AS CASE WHEN NOT regexp_matches(s, r) THEN NULL
        WHEN regexp_extract(s, r, 1) = '' THEN refuse('REGEXP_EXTRACT of a group that may take no part')
        ELSE regexp_extract(s, r, 1) END""",
    "bq_md5(x) AS from_hex(md5(x))",
    "bq_sha1(x) AS from_hex(sha1(x))",
    "bq_sha256(x) AS from_hex(sha256(x))",
    "bq_to_hex(x) AS lower(hex(x))",
    "bq_left(s, n) AS CASE WHEN n < 0 THEN error('Second argument in LEFT() cannot be negative') "
    "ELSE left(s, n) END",
    "bq_right(s, n) AS CASE WHEN n < 0 THEN error('Second argument in RIGHT() cannot be negative') "
    "ELSE right(s, n) END",
)
_TIME = (
    "bq_days(n) AS DATE '1970-01-01' + n::INTEGER",
    "bq_micros(n) AS make_timestamp(n)::TIMESTAMPTZ",
    f"""bq_timestamp(n) AS CASE WHEN n IS NULL THEN NULL WHEN n BETWEEN {TIMESTAMP_MIN} AND {TIMESTAMP_MAX}
        THEN make_timestamp(n)::TIMESTAMPTZ ELSE error('Timestamp is out of range') END""",
    """bq_date(d) AS CASE WHEN d IS NULL THEN NULL WHEN d BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'
        THEN d ELSE error('Date is out of range') END""",
    "bq_plus_micros(t, n) AS bq_timestamp(epoch_us(t) + n)",
    "bq_bucket(t, n, o) AS bq_timestamp(epoch_us(o) + bq_floor_div(epoch_us(t) - epoch_us(o), n) * n)",
    # BigQuery does not fill %Y up to four digits.
    """bq_format(t, f) AS CASE WHEN t < '1000-01-01' THEN refuse('Formatting times before the year 1000')
        ELSE strftime(t, f) END""",
    "bq_micros_between(a, b) AS epoch_us(a) - epoch_us(b)",
    "bq_trunc_week(t) AS date_trunc('week', t + INTERVAL 1 DAY) - INTERVAL 1 DAY",
    "bq_unix(t, n) AS bq_floor_div(epoch_us(t), n)",
    "bq_second_part(t, n) AS ((epoch_us(t) % 1000000) + 1000000) % 1000000 // n",
)
_ALL = (*_JSON, *_NUMBERS, *_TEXT, *_TIME)


# Macros that may raise and stand inside others.
_INNER = ("bq_finite", "bq_timestamp")


def _without_errors(macro: str) -> str:
    """A macro whose errors are NULL: DuckDB's TRY takes no expression that may raise one by ``error``.

    What refuses cannot stand in a TRY: its casts are made safe one by one instead.
    """
    if "refuse(" in macro:
        macro = re.sub(r"(?<!_)CAST\(", "TRY_CAST(", macro)
    for inner in _INNER:
        macro = macro.replace(f" {inner}(", f" safe_{inner}(")
    while (start := macro.find("error(")) >= 0:
        depth, end, quoted = 0, start + len("error"), False
        while True:
            character = macro[end]
            quoted ^= character == "'"
            depth += {"(": 1, ")": -1}.get(character, 0) if not quoted else 0
            end += 1
            if depth == 0:
                break
        macro = f"{macro[:start]}NULL{macro[end:]}"
    return macro


def _name(macro: str) -> str:
    return macro[: macro.index("(")]


def _refusing(macro: str) -> str:
    """A macro whose refusals are errors that name this emulator."""
    return macro.replace("refuse(", f"error('{REFUSED}' || ")


REFUSED = "Not supported by Fulcrum's emulator: ".replace("'", "''")
_RAISING = [macro for macro in _ALL if re.search(r"error\(|refuse\(|bq_finite\(|bq_timestamp\(", macro)]
# The macros that may raise, and the names of their forms for SAFE_CAST and SAFE.
SAFE_FORMS = {_name(macro): f"safe_{_name(macro)}" for macro in _RAISING}
# Those that may refuse: their safe forms raise nothing else, and must not stand in a TRY.
REFUSING = frozenset(_name(macro) for macro in _ALL if "refuse(" in macro)
# Those whose safe forms need no TRY, so that their arguments may be whatever cannot stand in one.
UNTRIED = REFUSING | {"bq_string_to_bool"}
MACROS = tuple(
    f"CREATE OR REPLACE TEMP MACRO {_refusing(macro)}"
    for macro in (*_ALL, *(f"safe_{_without_errors(macro)}" for macro in _RAISING))
)
