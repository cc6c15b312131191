"""Makes topics, subscriptions and tables in the emulators, as Terraform makes them in the cloud.

``python -m local.provision`` reads one :class:`Plan` as JSON from standard input. It is a process of its own
because Google's gRPC library does not survive the forks by which the stack starts functions.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from local.topology import load


@dataclass(frozen=True)
class Plan:
    """What to make, and where.

    ``push_base`` + a function's name is the URL of its pushes. ``demo_key`` is the text of the key of the
    first project's network; empty if no project is wanted.
    """

    project: str
    services: str
    pubsub: str
    firestore: str
    bigquery: str
    tasks: str
    scheduler: str
    push_base: str
    demo_key: str = ""

    def to_json(self) -> bytes:
        """The plan as the process reads it."""
        return json.dumps(asdict(self)).encode()


def main() -> None:
    """Carry out the plan that standard input gives; making what exists already changes nothing."""
    # Imported before the plan comes: the emulators start meanwhile. Not at the top: the stack imports Plan.
    from local import (
        provision_bigquery,
        provision_demo,
        provision_pubsub,
        provision_scheduler,
        provision_tasks,
    )

    plan = Plan(**json.loads(sys.stdin.buffer.read()))
    topology = load(Path(plan.services))
    provision_pubsub.provision(topology, plan.project, plan.pubsub, plan.push_base)
    provision_bigquery.provision(plan.project, plan.bigquery)
    provision_tasks.provision(topology, plan.project, plan.tasks)
    provision_scheduler.provision(topology, plan.project, plan.scheduler)
    if plan.demo_key:
        provision_demo.provision(plan.project, plan.firestore, plan.demo_key)


if __name__ == "__main__":
    main()
