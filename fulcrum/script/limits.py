"""What a script's run may use. Of one event, where nothing else is said."""

from __future__ import annotations

import msgspec

from fulcrum.script import wire


class Limits(msgspec.Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """Limits of a script, as its manifest has them.

    ``seconds_per_event``: wall time. ``memory_mb``: address space beyond what the interpreter itself has at
    the start. ``output_bytes``: all that one event's run leaves behind. ``seconds_per_call``: after this the
    events that are left are answered as not reached. ``network``: whether code may open connections.
    """

    seconds_per_event: float = 5.0
    memory_mb: int = 256
    output_bytes: int = wire.MAX_OUTCOME_BYTES
    seconds_per_call: float = 45.0
    network: bool = False
