"""Scripts: what a customer's code is given, what it may answer, and what runs it.

>>> from fulcrum.script import Context, Message, Result, needs
>>> @needs("deviceData", params=["limit"])
... def run(message: Message, context: Context) -> Result:
...     if context.device_data["temperature"] > context.params["limit"]:
...         context.send_sms("too warm", to=["+4700000000"])
...     return None
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fulcrum.script.context import Context
    from fulcrum.script.needing import needs
    from fulcrum.script.types import EventRecordDict, Message, Result, WriteDict

__all__ = ["Context", "EventRecordDict", "Message", "Result", "WriteDict", "needs"]


_MODULES = {"Context": "context", "needs": "needing"}


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for: what is beside it stays light."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'types')}"), name)
