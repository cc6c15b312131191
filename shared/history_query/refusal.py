"""How a query is refused: which place of it, what is wrong there, and what to do."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable

from shared.errors import ApiError

INVALID = "query.invalid"
# Looks at few levels and characters, whatever it is given.
_quote = reprlib.Repr()
_quote.maxlevel, _quote.maxlist, _quote.maxdict = 2, 4, 4
_quote.maxstring = _quote.maxother = 60


def refusal(place: str, problem: str, advice: str) -> ApiError:
    """A 400 that names the place in the query, such as ``paths[2].function.args[0]``."""
    return ApiError(400, INVALID, f"{place}: {problem}", advice)


def listed(names: Iterable[str]) -> str:
    """Names for a sentence, sorted."""
    return ", ".join(sorted(names))


def shown(value: object) -> str:
    """A value of a caller's as an error text quotes it, cut short."""
    try:
        return _quote.repr(value)
    except ValueError:
        # Python refuses to write out a number of thousands of digits.
        return "a very long number"
