"""Names that the bench makes up and that its baselines share."""

from __future__ import annotations

CLOUD_PROJECT = "fulcrum-bench"
NAIVE_TOPIC = f"projects/{CLOUD_PROJECT}/topics/naive"
NAIVE_TABLE = f"{CLOUD_PROJECT}.naive.events"
