"""Names that follow from what happened, so that a repeat has the same: of runs, effects, random numbers."""

from __future__ import annotations

from fulcrum.core.ids import digest


def run_key(
    project_id: str, device_id: str, event_id: str, content_hash: str, script_id: str, step: str
) -> str:
    """The name of a run: of one event, by one script, at one step of its route.

    ``step``: text that tells two places of one script in a route apart.
    """
    return digest("run", project_id, device_id, event_id, content_hash, script_id, step)


def seed(project_id: str, device_id: str, event_id: str, content_hash: str, script_id: str) -> str:
    """What a run's random numbers follow from: the event and the script alone, so that replay has it too."""
    return digest("random", project_id, device_id, event_id, content_hash, script_id)


def effect_id(key: str, index: int) -> str:
    """The id of the effect at ``index`` of a run."""
    return digest("effect", key, str(index))
