"""Values of a caller's, as an error text quotes them: cut short, whatever they are. Pure."""

from __future__ import annotations

import reprlib

# Looks at few levels and characters, whatever it is given.
_quote = reprlib.Repr()
_quote.maxlevel, _quote.maxlist, _quote.maxdict = 2, 4, 4
_quote.maxstring = _quote.maxother = 60


def shown(value: object) -> str:
    """A value as an error text quotes it."""
    try:
        return _quote.repr(value)
    except ValueError:
        # Python refuses to write out a number of thousands of digits.
        return "a very long number"
