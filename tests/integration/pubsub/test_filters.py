"""The filter language, by its documented examples."""

from __future__ import annotations

import pytest

from emulators.kit.rpc import StatusError
from emulators.pubsub.filters import compiled

COM = {"domain": "com"}


@pytest.mark.parametrize(
    ("text", "attributes", "matches"),
    [
        ("attributes:domain", COM, True),
        ("attributes:domain", {}, False),
        ('attributes.domain = "com"', COM, True),
        ('attributes.domain = "com"', {"domain": "COM"}, False),
        ('attributes.domain="com"', COM, True),
        ('attributes.domain != "com"', COM, False),
        ('attributes.domain != "com"', {"domain": "org"}, True),
        ('attributes.domain != "com"', {}, True),
        ('hasPrefix(attributes.domain, "co")', COM, True),
        ('hasPrefix(attributes.domain, "co")', {"domain": "org"}, False),
        ('hasPrefix(attributes.domain, "co")', {}, False),
        ("NOT attributes:domain", COM, False),
        ("NOT attributes:domain", {}, True),
        ("-attributes:domain", {}, True),
        ("NOT NOT attributes:domain", COM, True),
        ('attributes:iana AND attributes.domain = "com"', {"iana": "", **COM}, True),
        ('attributes:iana AND attributes.domain = "com"', COM, False),
        ("attributes:a OR attributes:b OR attributes:c", {"c": ""}, True),
        ("attributes:a OR attributes:b", {}, False),
        ("attributes:a AND (attributes:b OR attributes:c)", {"a": "", "c": ""}, True),
        ("attributes:a AND (attributes:b OR attributes:c)", {"a": ""}, False),
        ("(attributes:a AND attributes:b) OR NOT attributes:c", {"c": ""}, False),
        ("NOT (attributes:a OR attributes:b)", {}, True),
        ('attributes:"iana.org/language_tag"', {"iana.org/language_tag": "en"}, True),
        ('attributes."iana.org/language_tag" = "en"', {"iana.org/language_tag": "de"}, False),
        ('attributes.a-b_1 = "x"', {"a-b_1": "x"}, True),
        (r'attributes.a = "\"quoted\" \\ \x41 \101 A \n"', {"a": '"quoted" \\ A A A \n'}, True),
        ('attributes.a = "é"', {"a": "é"}, True),
        ('attributes.a = ""', {"a": ""}, True),
        ('attributes.a = ""', {}, False),
        (' attributes:a\n AND\tattributes:b ', {"a": "", "b": ""}, True),
        ("attributes:AND", {"AND": ""}, True),
    ],
)  # fmt: skip
def test_a_filter_selects(text: str, attributes: dict[str, str], matches: bool) -> None:
    predicate = compiled(text)
    assert predicate is not None
    assert predicate(attributes) is matches


def test_the_empty_filter_is_none() -> None:
    assert compiled("") is None


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "attributes",
        "attributes.a",
        "attributes:",
        "attributes.a = b",
        "attributes.a = 'b'",
        'attributes.a < "b"',
        'attributes.a = "b',
        'attributes.a = "\\xZZ"',
        "data:a",
        'data = "x"',
        '"b" = attributes.a',
        "attributes:a.b",
        'attributes.iana.org/tag = "en"',
        "attributes:a attributes:b",
        "attributes:a AND",
        "AND attributes:a",
        "not attributes:a",
        "attributes:a and attributes:b",
        "attributes:a AND attributes:b OR attributes:c",
        "attributes:a OR attributes:b AND attributes:c",
        "(attributes:a",
        "attributes:a)",
        'hasPrefix(attributes:a, "b")',
        'hasPrefix(attributes.a "b")',
        'hasPrefix(attributes.a, b)',
        'hasprefix(attributes.a, "b")',
        "(" * 300,
    ],
)  # fmt: skip
def test_a_wrong_filter_is_refused(text: str) -> None:
    with pytest.raises(StatusError) as caught:
        compiled(text)
    assert caught.value.code.name == "INVALID_ARGUMENT"
