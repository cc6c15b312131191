"""The templates of a project: found by alias or id, and what a message filled from one is."""

from __future__ import annotations

from typing import Any

import pytest

from shared import names, templates
from shared.clients import firestore
from shared.config import settings
from shared.errors import Rejected, Transient
from tests.support.processing import Documents

WARM = {
    "alias": "tooWarm",
    "email": {"subject": "{{ name }}\nis warm", "html": "<p>{{ name }}</p>", "text": "{{ name }}"},
    "sms": " {{ name }} is warm\n",
}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Documents:
    settings.cache_clear()
    made = Documents()
    for name in ("batch_get", "run_query"):
        monkeypatch.setattr(firestore, name, getattr(made, name))
    return made


def _put(store: Documents, template_id: str, fields: dict[str, Any], project: str = "farm") -> None:
    store.stored[names.document("projects", project, "templates", template_id)] = fields


async def test_a_template_is_found_by_alias_and_by_id_in_its_own_project(store: Documents) -> None:
    _put(store, "T1", WARM)
    for named in ("tooWarm", "T1"):
        found = await templates.find("farm", named)
        assert found is not None
        assert (found.id, found.sms) == ("T1", WARM["sms"])
    for project, named in (
        ("other", "tooWarm"),
        ("other", "T1"),
        ("farm", "toowarm"),
        ("farm", "a/b"),
        ("farm", ""),
    ):
        assert await templates.find(project, named) is None


async def test_a_mail_is_filled_with_its_subject_in_one_line(store: Documents) -> None:
    _put(store, "T1", WARM)
    filled = await templates.mail("farm", "tooWarm", {"name": "R&D"})
    assert filled == templates.Mail("R&D is warm", "R&D", "<p>R&amp;D</p>")
    assert await templates.mail("farm", "unknown", {}) is None


@pytest.mark.parametrize("name", ["R\r\nBcc: b@x.de", "R\x00 Bcc:\x85\u2028b@x.de", " R Bcc:\tb@x.de "])
async def test_what_fills_a_subject_adds_no_line_to_it(store: Documents, name: str) -> None:
    _put(store, "T1", WARM)
    filled = await templates.mail("farm", "tooWarm", {"name": name})
    assert filled is not None
    assert filled.subject == "R Bcc: b@x.de is warm"


async def test_a_template_without_a_mail_fills_none(store: Documents) -> None:
    _put(store, "T1", {"alias": "short", "sms": "hello"})
    _put(store, "T2", {"alias": "empty", "email": {"subject": "hello"}})
    assert await templates.mail("farm", "short", {}) is None
    assert await templates.mail("farm", "empty", {}) is None


async def test_a_text_message_is_filled_and_one_that_is_not_there_is_refused(store: Documents) -> None:
    _put(store, "T1", WARM)
    _put(store, "T2", {"alias": "mailOnly", "email": {"subject": "a", "text": "b"}})
    assert await templates.sms("farm", "tooWarm", {"name": "R&D"}) == "R&D is warm"
    for named in ("unknown", "mailOnly"):
        with pytest.raises(Rejected) as caught:
            await templates.sms("farm", named, {})
        assert caught.value.error_type == "template.unknown"
    with pytest.raises(Rejected, match="sms: line 1: the context has no 'name'"):
        await templates.sms("farm", "tooWarm", {})


async def test_a_subject_of_nothing_is_refused(store: Documents) -> None:
    _put(store, "T1", {"alias": "a", "email": {"subject": "{{ name }}", "text": "b"}})
    with pytest.raises(Rejected, match="subject: nothing is left of it"):
        await templates.mail("farm", "a", {"name": " \n"})


async def test_when_the_store_fails_the_message_comes_again(
    store: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*given: Any) -> Any:
        raise Transient("UNAVAILABLE")

    monkeypatch.setattr(firestore, "run_query", fails)
    with pytest.raises(Transient):
        await templates.mail("farm", "tooWarm", {})
