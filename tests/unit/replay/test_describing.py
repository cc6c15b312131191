"""What a report of a replay says of an effect."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.script import wire
from fulcrum.script.replay.comparing import describe


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"subject": "Hot", "text": "41 °C"}, "Hot: 41 °C"),
        ({"subject": "Hot", "html": "<b>41</b>"}, "Hot: <b>41</b>"),
        ({"template": "tooWarm"}, "template tooWarm"),
        ({"templateId": "T1", "context": {"t": 41}}, 'template T1, filled from {"t":41}'),
        (
            {"subject": "Hot", "text": "41", "template": "tooWarm", "context": {"t": 41}},
            'Hot: 41; template tooWarm, filled from {"t":41}',
        ),
    ],
)
def test_a_mail_is_shown_with_what_it_says(message: dict[str, Any], said: str) -> None:
    found = describe(wire.SendEmail(message={"to": ["a@x.de"], "bcc": "b@x.de", **message}))
    assert found == (["a@x.de", "b@x.de"], said)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"message": "41 °C"}, "41 °C"),
        ({"templateId": "tooWarm", "context": {"t": 41}}, 'template tooWarm, filled from {"t":41}'),
        ({"template": "tooWarm", "message": "41"}, "41; template tooWarm"),
    ],
)
def test_a_text_message_is_shown_with_what_it_says(message: dict[str, Any], said: str) -> None:
    assert describe(wire.SendSms(message={"recipients": ["+4791234567"], **message})) == (
        ["+4791234567"],
        said,
    )
