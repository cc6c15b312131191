"""``python -m cli.device``: the current state of a device and the latest of its history."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cli import target
from local.processes import StartError
from shared import clock
from shared.config import settings

_HISTORY = """
SELECT time, event_id, data, cleared FROM `{dataset}.events`(@project, @since, @until)
WHERE device_id = @device ORDER BY time DESC LIMIT @count
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a device; 0 if it was found, 1 if not, 2 for a wrong command line."""
    args = _parser().parse_args(arguments)
    try:
        target.use(args)
        state = _state(args.project, args.device)
        if state is None:
            print(f"device: project {args.project} has no device {args.device}", file=sys.stderr)
            return 1
        rows = _history(args.project, args.device, args.days, args.count)
    except StartError as error:
        print(f"device: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps({"state": state, "history": rows}, indent=2, default=_text))
        return 0
    for name in ("name", "blueprintId", "firstSeen", "lastSeen"):
        value = state.get(name)
        print(f"{name:<12} {clock.from_ms(value).isoformat() if isinstance(value, int) else value}")
    print(f"data         {json.dumps(state.get('data', {}))}\n")
    for row in rows:
        print(f"{_text(row['time'])}  {row['event_id']:<22}  {json.dumps(row['data'])}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = target.parser("device", "The current state of a device and the latest of its history.")
    parser.add_argument("--project", required=True, help="whose device")
    parser.add_argument("--count", type=int, default=10, help="how many events (%(default)s)")
    parser.add_argument("--days", type=int, default=30, help="how far back to look (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("device", help="the device's id")
    return parser


def _state(project: str, device: str) -> dict[str, Any] | None:
    from google.cloud import firestore

    client = firestore.Client(project=settings().cloud_project)
    found: dict[str, Any] | None = client.document(f"projects/{project}/devices/{device}").get().to_dict()
    client.close()
    # The registers are the fold's own bookkeeping.
    return {key: value for key, value in found.items() if key != "registers"} if found else None


def _history(project: str, device: str, days: int, count: int) -> list[dict[str, Any]]:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    config = settings()
    credentials = AnonymousCredentials() if config.bigquery_emulator else None
    client = bigquery.Client(project=config.cloud_project, credentials=credentials)
    until = clock.now() + timedelta(minutes=10)
    parameters = [
        bigquery.ScalarQueryParameter("project", "STRING", project),
        bigquery.ScalarQueryParameter("device", "STRING", device),
        bigquery.ScalarQueryParameter("since", "TIMESTAMP", until - timedelta(days=days)),
        bigquery.ScalarQueryParameter("until", "TIMESTAMP", until),
        bigquery.ScalarQueryParameter("count", "INT64", count),
    ]
    query = _HISTORY.format(dataset=config.bigquery_dataset)
    job = client.query(query, job_config=bigquery.QueryJobConfig(query_parameters=parameters))
    rows = [dict(row) for row in job.result()]
    client.close()
    return rows


def _text(value: Any) -> str:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)


if __name__ == "__main__":
    sys.exit(main())
