"""Every resource of the API, as attributes of the two clients.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.api.about import About, AsyncAbout
from fulcrum.client.api.blueprint import AsyncBlueprint, Blueprint
from fulcrum.client.send import AsyncSender, Sender


class Resources:
    """What a client can do, by resource."""

    def __init__(self, sender: Sender) -> None:
        self.about = About(sender)
        self.blueprint = Blueprint(sender)


class AsyncResources:
    """What a client can do, by resource."""

    def __init__(self, sender: AsyncSender) -> None:
        self.about = AsyncAbout(sender)
        self.blueprint = AsyncBlueprint(sender)
