"""Mail that people get because of their accounts: published for the function ``emailer``, never logged."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from fulcrum.core import ids
from functions.api.access import cookies
from shared import names
from shared.clients import pubsub
from shared.config import settings
from shared.errors import ApiError

TOPIC = "email"
# The page of the console that takes the token. Behind the ``#`` no server and no log sees it.
RESET_PAGE = "/reset-password#token="


def public_url(request: Request) -> str:
    """Where people reach this deployment: the setting ``PUBLIC_URL``, never what a request says of itself.

    (Whoever sends a request chooses its host, and so could have tokens sent to a site of his own.) On this
    machine the request may say it. ApiError 501 if neither is known.
    """
    known = settings().text("PUBLIC_URL", "").rstrip("/")
    if known:
        return known
    if cookies.is_loopback(request):
        return f"{cookies.scheme(request)}://{request.headers['host']}"
    raise ApiError(
        501,
        "mail.noPublicUrl",
        "this deployment does not say under which address people reach it, so no link can be sent",
        "set PUBLIC_URL in functions/services.yaml",
    )


async def send_reset(to: str, username: str, project_id: str, url: str, token: str, hours: int) -> None:
    """Publish the mail with the link that sets a new password. Transient if it cannot be published."""
    link = f"{url}{RESET_PAGE}{token}"
    message = {
        "type": "emailMsg",
        # However often it is published, it is one mail.
        "id": ids.new_id(),
        "to": [to],
        "subject": "Set a new password",
        "text": f"Somebody, probably you, asked for a new password for {username}.\n\n"
        f"Open this link within {hours} hour to set one; it works once:\n{link}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n",
        "template": "resetPassword",
        "context": {"username": username, "projectId": project_id, "link": link, "hours": hours},
        "projectId": project_id or names.NO_PROJECT,
        # Whoever reads it may set the password.
        "confidential": True,
    }
    attributes = {"v": "1", "hops": "1", "projectId": project_id or names.NO_PROJECT}
    await pubsub.publish(TOPIC, [(msgspec.json.encode(message), attributes)])
