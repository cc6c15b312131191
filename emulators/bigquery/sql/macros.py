"""DuckDB macros that give GoogleSQL's meaning where DuckDB's own function of that name differs.

All are scalar; ``p`` is a JSON path as ``json_functions`` writes it. An argument may be evaluated more
than once, so that none of them is called with a volatile expression.
"""

from __future__ import annotations

_NUMBER = "('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')"
# What the LAX functions take a JSON string for a number by.
_NUMERIC_TEXT = r"'[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?'"
_INT64_TEXT = r"'[+-]?\d+'"

_JSON = (
    """bq_json_value(j, p) AS CASE WHEN json_type(j, p) IN ('OBJECT', 'ARRAY') THEN NULL
        ELSE json_extract_string(j, p) END""",
    "bq_json_or_null(s) AS CASE WHEN json_valid(s) THEN s::JSON END",
    """bq_json_query_text(s, p) AS CASE WHEN json_type(bq_json_or_null(s), p) = 'NULL' THEN NULL
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
    f"""bq_lax_string(j) AS CASE WHEN json_type(j) IN ('VARCHAR', 'BOOLEAN') OR json_type(j) IN {_NUMBER}
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
        THEN TRY_CAST(json_extract_string(j, '$') AS DOUBLE)
        WHEN json_type(j) = 'VARCHAR'
            AND regexp_full_match(lower(json_extract_string(j, '$')), '[+-]?(nan|inf|infinity)')
        THEN error('NaN and infinities are not supported by this emulator') END""",
    "bq_json_text(j) AS coalesce(j::VARCHAR, 'null')",
)
_NUMBERS = (
    """bq_divide(a, b) AS CASE WHEN b = 0 THEN error('division by zero')
        ELSE a::DOUBLE / b::DOUBLE END""",
    "bq_safe_divide(a, b) AS CASE WHEN b <> 0 THEN a::DOUBLE / b::DOUBLE END",
    "bq_div(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE (a - a % b) // b END",
    "bq_mod(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a % b END",
    "bq_round(x) AS round(x::DOUBLE)",
    "bq_round_to(x, n) AS round(x::DOUBLE, n::INTEGER)",
    "bq_sqrt(x) AS CASE WHEN x < 0 THEN error('Argument to SQRT cannot be negative') ELSE sqrt(x) END",
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
    r"""bq_string_to_int64(s) AS CASE WHEN s IS NULL THEN NULL
        WHEN regexp_full_match(s, '[+-]?\d+') THEN s::BIGINT ELSE error('Bad int64 value: ' || s) END""",
    r"""bq_string_to_float64(s) AS CASE WHEN s IS NULL THEN NULL
        WHEN regexp_full_match(s, '[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?') THEN s::DOUBLE
        ELSE error('Bad double value (NaN and infinities are not supported here): ' || s) END""",
    r"""bq_string_to_numeric(s) AS CASE WHEN s IS NULL THEN NULL
        WHEN regexp_full_match(s, '[+-]?(\d+(\.\d*)?|\.\d+)') THEN s::DECIMAL(38,9)
        ELSE error('Invalid NUMERIC value: ' || s) END""",
    """bq_string_to_bool(s) AS CASE WHEN s IS NULL THEN NULL WHEN lower(s) = 'true' THEN true
        WHEN lower(s) = 'false' THEN false ELSE error('Bad bool value: ' || s) END""",
    r"""bq_string_to_timestamp(s) AS CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s,
        '\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}(:\d{2})?| UTC)?')
        THEN replace(s, ' UTC', '+00')::TIMESTAMPTZ ELSE error('Invalid timestamp: ''' || s || '''') END""",
    r"""bq_string_to_date(s) AS CASE WHEN s IS NULL THEN NULL
        WHEN regexp_full_match(s, '\d{4}-\d{1,2}-\d{1,2}') THEN s::DATE
        ELSE error('Invalid date: ''' || s || '''') END""",
    r"bq_float64_to_string(x) AS regexp_replace(x::VARCHAR, '\.0$', '')",
    """bq_timestamp_to_string(t) AS CASE WHEN epoch_us(t) % 1000000 = 0 THEN strftime(t, '%Y-%m-%d %H:%M:%S')
        WHEN epoch_us(t) % 1000 = 0 THEN strftime(t, '%Y-%m-%d %H:%M:%S.%g')
        ELSE strftime(t, '%Y-%m-%d %H:%M:%S.%f') END || '+00'""",
    """bq_substr(s, p) AS CASE WHEN s IS NULL OR p IS NULL THEN NULL
        ELSE substring(s, CASE WHEN p = 0 OR p < -length(s) THEN 1 ELSE p END) END""",
    """bq_substr_of(s, p, n) AS CASE WHEN s IS NULL OR p IS NULL OR n IS NULL THEN NULL
        WHEN n < 0 THEN error('Third argument in SUBSTR() cannot be negative')
        ELSE substring(s, CASE WHEN p = 0 OR p < -length(s) THEN 1 ELSE p END, n) END""",
    "bq_regexp_extract(s, r, g) AS CASE WHEN regexp_matches(s, r) THEN regexp_extract(s, r, g) END",
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
    "bq_plus_micros(t, n) AS make_timestamp(epoch_us(t) + n)::TIMESTAMPTZ",
    "bq_bucket(t, n, o) AS make_timestamp(epoch_us(o) + bq_floor_div(epoch_us(t) - epoch_us(o), n) * n)"
    "::TIMESTAMPTZ",
    "bq_micros_between(a, b) AS epoch_us(a) - epoch_us(b)",
    "bq_trunc_week(t) AS date_trunc('week', t + INTERVAL 1 DAY) - INTERVAL 1 DAY",
    "bq_unix(t, n) AS bq_floor_div(epoch_us(t), n)",
    "bq_second_part(t, n) AS ((epoch_us(t) % 1000000) + 1000000) % 1000000 // n",
)
_ALL = (*_JSON, *_NUMBERS, *_TEXT, *_TIME)


def _without_errors(macro: str) -> str:
    """A macro whose calls of ``error`` are NULL: DuckDB's TRY takes no expression that may raise one."""
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


# The macros that may raise, and the names of their forms for SAFE_CAST and SAFE.
SAFE_FORMS = {_name(macro): f"safe_{_name(macro)}" for macro in _ALL if "error(" in macro}
MACROS = tuple(
    f"CREATE OR REPLACE TEMP MACRO {macro}"
    for macro in (*_ALL, *(f"safe_{_without_errors(macro)}" for macro in _ALL if "error(" in macro))
)
