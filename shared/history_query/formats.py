"""Times as text and back, by formats of tokens: ``@YEAR()-@MONTH()-@DAY() @HOUR():@MINUTE()``. All is UTC."""

from __future__ import annotations

import re

from shared.history_query.expr import Expr, Parameters, built
from shared.history_query.refusal import listed, refusal, shown

MAX_FORMAT = 200
# Token → BigQuery's format element, the digits that it takes when it is read, and what it is if not named.
TOKENS = {
    "@YEAR()": ("%Y", "[0-9]{4}", ""),
    "@MONTH()": ("%m", "0[1-9]|1[0-2]", "01"),
    "@DAY()": ("%d", "0[1-9]|[12][0-9]|3[01]", "01"),
    "@HOUR()": ("%H", "[01][0-9]|2[0-3]", "00"),
    "@MINUTE()": ("%M", "[0-5][0-9]", "00"),
    "@SECOND()": ("%S", "[0-5][0-9]", "00"),
    "@SECOND_PART()": ("", "[0-9]{3}", "000"),
}
# What stands before each part, in the order of TOKENS, where a time is put together.
_BEFORE = ("", "-", "-", " ", ":", ":", ".")
_PIECE = r"@[A-Z_]+\(\)|[^@]+|@"


def _pieces(text: str, place: str) -> list[str]:
    tokens = f"Tokens are {listed(TOKENS)}."
    if not text or len(text) > MAX_FORMAT or not text.isprintable():
        raise refusal(place, f"a format has 1 to {MAX_FORMAT} characters that can be printed", tokens)
    pieces = re.findall(_PIECE, text)
    for piece in pieces:
        if piece.startswith("@") and piece not in TOKENS:
            raise refusal(place, f"{shown(piece)} is no token", tokens)
    if not any(piece in TOKENS for piece in pieces):
        raise refusal(place, f"the format {shown(text)} names no part of a time", tokens)
    return pieces


def formatted(time: Expr, text: str, parameters: Parameters, place: str) -> Expr:
    """A TIMESTAMP as text; ``@SECOND_PART()`` are three digits."""
    made = []
    for piece in _pieces(text, place):
        if piece == "@SECOND_PART()":
            made.append(f"SUBSTR(FORMAT_TIMESTAMP('%E3S', {time.sql}), 4)")
        elif piece in TOKENS:
            made.append(f"FORMAT_TIMESTAMP('{TOKENS[piece][0]}', {time.sql})")
        else:
            made.append(parameters.add(piece, "STRING"))
    return built(f"CONCAT({', '.join(made)})", "STRING", time)


def parsed(text: Expr, format_: str, parameters: Parameters, place: str) -> Expr:
    """Text as a TIMESTAMP, NULL where it is not of the format to the letter or names no day.

    The text is taken apart and put together in the one form that a cast takes: a cast gives NULL for what
    is no time, where a function that parses would end the query.
    """
    pieces = _pieces(format_, place)
    for token in TOKENS:
        if pieces.count(token) > 1:
            raise refusal(place, f"{token} stands twice in the format", "Name each part once.")
    if "@YEAR()" not in pieces:
        raise refusal(place, "the format names no year", "Add @YEAR().")
    if "@DAY()" in pieces and "@MONTH()" not in pieces:
        raise refusal(place, "the format names a day without a month", "Add @MONTH().")
    groups = [piece for piece in pieces if piece in TOKENS]
    pattern = "".join(f"({TOKENS[piece][1]})" if piece in TOKENS else re.escape(piece) for piece in pieces)
    whole = "".join(
        before + (f"\\{groups.index(token) + 1}" if token in groups else rest)
        for before, (token, (_, _, rest)) in zip(_BEFORE, TOKENS.items(), strict=True)
    )
    found = parameters.add(f"^{pattern}$", "STRING")
    form = parameters.add(f"{whole}+00", "STRING")
    put = f"REGEXP_REPLACE({text.sql}, {found}, {form})"
    sql = f"IF(REGEXP_CONTAINS({text.sql}, {found}), SAFE_CAST({put} AS TIMESTAMP), NULL)"
    return built(sql, "TIMESTAMP", text)
