"""How a query is refused: which place of it, what is wrong there, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from shared.errors import ApiError
from shared.quoted import shown

__all__ = ["INVALID", "listed", "refusal", "shown"]

INVALID = "query.invalid"


def refusal(place: str, problem: str, advice: str) -> ApiError:
    """A 400 that names the place in the query, such as ``paths[2].function.args[0]``."""
    return ApiError(400, INVALID, f"{place}: {problem}", advice)


def listed(names: Iterable[str]) -> str:
    """Names for a sentence, sorted."""
    return ", ".join(sorted(names))
