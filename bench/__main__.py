"""``python -m bench [--quick] [--only name,...]``: measure, print the table, write ``build/bench.json``."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import api, deploying, events, growth, pushes, replay, scripts, start
from bench.figures import Figure, as_json, table
from bench.fleet import create_fleet
from bench.load import Poster, poster
from bench.rig import emulators
from bench.server import LOGS
from local.processes import ROOT

# Which measurement yields which figures.
GROUPS: dict[str, tuple[str, ...]] = {
    "start": ("cold_start", "cold_start_first_write", "memory_first_request"),
    "api": ("api_cold_start",),
    "pushes": ("warm_noop_push",),
    "events": (
        "event_in_array_of_100",
        "event_16_concurrent_posts",
        "rpcs_per_100_events",
        "events_per_second_single",
        "events_per_second_array",
    ),
    "growth": ("cost_growth_100_to_100k",),
    "scripts": ("script_call_per_event_in_batch_of_100",),
    "deploying": ("script_deploy_first_event",),
    "replay": ("replay_events_per_second",),
}
NAMES = tuple(name for names in GROUPS.values() for name in names)


def wanted_groups(only: Sequence[str]) -> list[str]:
    """The groups that yield the named figures, all of them for no name; ValueError for a foreign name."""
    foreign = [name for name in only if name not in NAMES]
    if foreign:
        raise ValueError(f"no such figure: {', '.join(foreign)}; there are {', '.join(NAMES)}")
    return [group for group, names in GROUPS.items() if not only or any(name in names for name in only)]


def kept(figures: Sequence[Figure], only: Sequence[str]) -> list[Figure]:
    """What was asked for, with the rows that say more about it."""
    return [figure for figure in figures if not only or figure.name in only or figure.name not in NAMES]


def _start(poster: Poster, quick: bool) -> list[Figure]:
    with emulators() as running:
        return start.measure(create_fleet(running.grpc["firestore"], 1), running.env, quick)


def _api(poster: Poster, quick: bool) -> list[Figure]:
    with emulators() as running:
        fleet = create_fleet(running.grpc["firestore"], 1)
        return api.measure(fleet, running.env, quick)


def _pushes(poster: Poster, quick: bool) -> list[Figure]:
    with emulators() as running:
        return pushes.measure(poster, running.env, quick)


_MEASURES: dict[str, Callable[[Poster, bool], list[Figure]]] = {
    "start": _start,
    "api": _api,
    "pushes": _pushes,
    "events": events.measure,
    "growth": growth.measure,
    "scripts": scripts.measure,
    "deploying": deploying.measure,
    "replay": replay.measure,
}


def _measure(groups: Sequence[str], quick: bool) -> tuple[list[Figure], list[str]]:
    """What the groups yield, and the names of the figures that could not be measured."""
    figures: list[Figure] = []
    failed: list[str] = []
    for old in LOGS.glob("*.log"):
        old.unlink()
    with poster() as running:
        for group in groups:
            began = time.monotonic()
            print(f"measuring {', '.join(GROUPS[group])} ...", file=sys.stderr, flush=True)
            try:
                figures += _MEASURES[group](running, quick)
            except Exception:
                # The other groups are as good without this one; the run as a whole has failed.
                traceback.print_exc()
                failed += GROUPS[group]
            print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures, failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 whether or not a target is met, 1 if something could not be measured."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="few repetitions: shows that it works, measures little"
    )
    parser.add_argument("--only", default="", help=f"names, comma-separated, of {', '.join(NAMES)}")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    options = parser.parse_args(arguments)
    only = [name for name in options.only.split(",") if name]
    try:
        groups = wanted_groups(only)
    except ValueError as error:
        parser.error(str(error))
    figures, failed = _measure(groups, options.quick)
    figures = kept(figures, only)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(as_json(figures), indent=2) + "\n")
    print(table(figures))
    missed = [figure.name for figure in figures if figure.verdict == "missed"]
    print(f"\nmissed: {', '.join(missed) or 'none'}; written to {options.output}")
    if failed:
        print(f"not measured, see above and {LOGS}: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
