"""The services, one Cloud Function each."""

from __future__ import annotations

from shared import collector

# Before anything else of a function is imported: a new instance answers sooner.
collector.relax()
