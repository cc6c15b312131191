from __future__ import annotations

import pytest

from shared import keys


def test_a_made_key_parses_and_matches_its_own_hash_alone() -> None:
    made = keys.make("fk")
    parsed = keys.parse(made.text)
    assert parsed == made
    assert parsed.matches(made.hash)
    assert not parsed.matches(keys.make("fk").hash)


def test_the_secret_is_not_in_the_representation() -> None:
    made = keys.make("ft")
    assert made.secret not in repr(made)
    assert made.secret not in f"{made}"
    assert made.secret not in made.hash


@pytest.mark.parametrize("text", ["", "fk_", "fk_abc_def", "xx_" + "a" * 17 + "_" + "b" * 43, "fk_é"])
def test_what_is_no_key_is_none(text: str) -> None:
    assert keys.parse(text) is None


def test_a_key_with_a_trailing_newline_is_no_key() -> None:
    assert keys.parse(keys.make("fk").text + "\n") is None
