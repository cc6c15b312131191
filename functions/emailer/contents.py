"""What mails say: those that name a template are filled from it, as it is now."""

from __future__ import annotations

import msgspec

from functions.emailer.mails import MAX_SUBJECT, Mail, Read
from shared import templates
from shared.errors import Rejected
from shared.outbox import Refused

# What a mail has in its document all together, which holds 1 MiB.
MAX_STORED = 1_000_000


async def filled(read: Read) -> Read:
    """Mails with what they say, and what is refused. Transient where templates cannot be read.

    A template that the project has counts, whatever the mail says beside it; what that says is for a project
    that has none of that name.
    """
    mails: list[Mail] = []
    refused = list(read.refused)
    # Mails of one message, a recipient each, say the same.
    said: dict[int, templates.Mail | Rejected | None] = {}
    for mail in read.mails:
        if mail.place not in said:
            said[mail.place] = await _said(mail)
            if isinstance(error := said[mail.place], Rejected):
                refused.append(Refused(error, mail.place, mail.data))
        found = said[mail.place]
        if isinstance(found, Rejected):
            continue
        mails.append(mail if found is None else _with(mail, found))
    return Read(mails, refused)


async def _said(mail: Mail) -> templates.Mail | Rejected | None:
    """What a template makes of a mail; None: the mail says it itself."""
    found = None
    try:
        if mail.template is not None:
            found = await templates.mail(mail.project_id, mail.template, mail.context)
            if found is None and not (mail.subject and (mail.text or mail.html)):
                raise templates.unknown(mail.template)
            if found is not None and len(found.subject) > MAX_SUBJECT:
                raise Rejected("email.content", f"the subject has more than {MAX_SUBJECT} characters")
        stored = _with(mail, found) if found is not None else mail
        if (size := _size(stored)) > MAX_STORED:
            raise Rejected("email.tooLarge", f"the mail comes to {size} bytes; at most {MAX_STORED}")
    except Rejected as error:
        return error
    return found


def _with(mail: Mail, said: templates.Mail) -> Mail:
    return msgspec.structs.replace(mail, subject=said.subject, text=said.text, html=said.html)


def _size(mail: Mail) -> int:
    texts = [mail.subject, mail.text or "", mail.html or "", *mail.to, *mail.cc, *mail.bcc]
    rest = msgspec.json.encode([mail.context, mail.attachments])
    return sum(len(text.encode()) for text in texts) + len(rest)
