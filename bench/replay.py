"""What a replay of 500,000 events costs: the command as people run it, from a file of recorded events.

The script is the example with hysteresis; its new version has another limit. The plain loop that it stands
beside is the least that anybody would write: each line decoded by ``json``, the function called for each of
the two versions with a cache in a dict. It keeps no state, compares nothing and knows no timers.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

from bench.figures import Figure, Target
from bench.load import Poster
from fulcrum.script import identity, wire
from fulcrum.script.carrying import DeviceState, World
from fulcrum.script.loading import load
from fulcrum.script.replay import lines
from fulcrum.script.running import Runner
from local.processes import ROOT

EVENTS, QUICK_EVENTS = 500_000, 20_000
DEVICES = 500
EXAMPLE = ROOT / "examples" / "scripts" / "threshold_hysteresis"
_SINCE = 1_790_000_000_000
_WEEK = 604_800_000
_PARAMS = {"high": 80, "low": 75, "recipients": ["+4790000000"]}
_EVERY_SECONDS = 0.1
_PLAIN = """
import json, resource, sys, time
from pathlib import Path
from types import SimpleNamespace
from fulcrum.script.loading import load

class Context(SimpleNamespace):
    def __getattr__(self, name):
        return self.record
    def record(self, *given, **named):
        self.effects.append((given, named))
    def set_cache(self, value):
        self.caches[self.device_id] = value

began = time.monotonic()
functions = [load(Path(folder)).function("run") for folder in sys.argv[2:]]
caches = [{} for _ in functions]
devices = {}
effects = 0
with open(sys.argv[1], "rb") as file:
    for line in file:
        found = json.loads(line)
        if found["t"] == "definition" and found["kind"] == "device":
            devices[found["id"]] = found["value"]
        if found["t"] != "event":
            continue
        device_id = found["deviceId"]
        for function, known in zip(functions, caches):
            context = Context(
                params=found["params"], cache=known.get(device_id, {}), caches=known, effects=[],
                device=devices[device_id], device_id=device_id, time=None, log=print,
            )
            context.time = Time
            function(found["message"], context)
            effects += len(context.effects)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, effects]))
"""


def made_input(path: Path, events: int) -> None:
    """Write an input: devices that warm up and cool down, each event with its recorded run."""
    with path.open("wb") as file:
        for line in _lines(events):
            file.write(lines.encode(line))
            file.write(b"\n")


def _lines(events: int) -> Iterator[lines.AnyLine]:
    code = (EXAMPLE / "main.py").read_text()
    runner = Runner(load(EXAMPLE, 1))
    world = World(script_id="bench", project_id="bench")
    entries = list(runner.code.entries.values())
    devices = [f"device{number:016d}" for number in range(DEVICES)]
    yield lines.Header(
        project_id="bench",
        script_id="bench",
        name="Too warm",
        version=1,
        code=code,
        entries=entries,
        since=_SINCE,
        until=_SINCE + _WEEK,
        count=events,
    )
    yield lines.Definition(kind="project", id="bench", value={"id": "bench", "name": "Bench"})
    for device in devices:
        value = {"id": device, "name": device, "systemId": "s", "blueprintId": "b"}
        yield lines.Definition(kind="device", id=device, value=value)
        registers = f'{{"v":1,"r":[[{_SINCE - 1000},"e",{{"humidity":40,"temperature":70}},[]]]}}'
        yield lines.State(device_id=device, registers=registers)
        world.devices[device] = DeviceState(value, registers)
    chance = random.Random(1)
    warmth = dict.fromkeys(devices, 70.0)
    for number in range(events):
        device = devices[number % DEVICES]
        warmth[device] = min(95.0, max(55.0, warmth[device] + chance.gauss(0, 1.5)))
        at = _SINCE + number * _WEEK // events
        yield from _event(runner, world, device, at, f"e{number:021d}", warmth[device])
    yield lines.End(count=events)


def _event(
    runner: Runner, world: World, device: str, at: int, event_id: str, value: float
) -> Iterator[lines.AnyLine]:
    """An event with what its run came to, and what the script wrote."""
    writes = [{"path": "temperature", "value": round(value, 2)}, {"path": "humidity", "value": 40}]
    message = {
        "type": "deviceDataEventMsg",
        **{"id": event_id, "hash": f"h{event_id}", "time": at, "receivedTime": at, "projectId": "bench"},
        **{"deviceId": device, "systemId": "s", "blueprintId": "b", "networkId": "n", "data": writes},
    }
    key, seed = f"k{event_id}", identity.seed("bench", device, event_id, f"h{event_id}", "bench")
    event = wire.Event(key=key, message=message, now=at, seed=seed, device_id=device, params=_PARAMS)
    outcome = runner.run_event("run", event, world)
    world.follow(event, outcome)
    effects = [
        {"id": identity.effect_id(key, index), **msgspec.to_builtins(effect)}
        for index, effect in enumerate(outcome.effects)
    ]
    run = lines.Run(
        key=key, version=1, started=at + 20, result="unchanged", effects=effects, cache=outcome.cache
    )
    yield lines.Event(
        message=message, now=at, seed=seed, device_id=device, params=_PARAMS, stored=at + 50, run=run
    )
    for index, effect in enumerate(outcome.effects):
        if isinstance(effect, wire.SetDeviceData):
            yield lines.Writing(
                device_id=device,
                time=effect.time,
                id=identity.effect_id(key, index),
                now=at,
                data=effect.data,
                stored=at + 51,
                script_id="bench",
                own=True,
            )


def measure(poster: Poster, quick: bool) -> list[Figure]:
    """Events a second, processor time of an event and the height of memory, beside the plain loop."""
    events = QUICK_EVENTS if quick else EVENTS
    with tempfile.TemporaryDirectory(prefix="fulcrum-bench-") as folder:
        path, changed = Path(folder) / "input.ndjson", Path(folder) / "changed"
        made_input(path, events)
        shutil.copytree(EXAMPLE, changed)
        main = changed / "main.py"
        main.write_text(main.read_text().replace("value >= high", "value >= high + 1"))
        wall, cpu, memory = _replayed(path, changed)
        plain_wall, plain_cpu, plain_memory = _plain(path, changed)
    share = 1_000_000 / events
    return [
        Figure("replay_events_per_second", events / wall, events / plain_wall, "events a second"),
        Figure(
            "replay_500k_events",
            wall * EVENTS / events,
            plain_wall * EVENTS / events,
            "s",
            Target(120, "value"),
        ),
        Figure("replay_event", cpu * share, plain_cpu * share, "us CPU an event, two versions"),
        Figure("replay_memory", memory, plain_memory, "MiB", Target(500, "value")),
    ]


def _replayed(path: Path, changed: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and MiB (of all processes together, at the height) of the command."""
    command = [sys.executable, "-m", "fulcrum", "script", "replay", "bench", str(changed)]
    command += ["--input", str(path), "--json"]
    answer = changed.with_name("report.json")
    began = time.monotonic()
    with answer.open("wb") as file, subprocess.Popen(command, stdout=file, cwd=ROOT) as running:
        tree = psutil.Process(running.pid)
        height, used = 0, {}
        while running.poll() is None:
            found = 0
            for one in (tree, *_children(tree)):
                try:
                    found += one.memory_info().rss
                    times = one.cpu_times()
                    used[one.pid] = times.user + times.system
                except psutil.NoSuchProcess:
                    continue
            height = max(height, found)
            time.sleep(_EVERY_SECONDS)
    seconds = time.monotonic() - began
    report = json.loads(answer.read_bytes())
    same = report["fidelity"]["same"] == report["fidelity"]["compared"] > 0
    if running.returncode or not report["complete"] or not report["lost"] or not same:
        raise RuntimeError(f"the replay came to {running.returncode}: {report['problems']}")
    return seconds, sum(used.values()), height / 2**20


def _children(tree: psutil.Process) -> list[psutil.Process]:
    try:
        return tree.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _plain(path: Path, changed: Path) -> tuple[float, float, float]:
    code = _PLAIN.replace("Time\n", "__import__('datetime').datetime(2026, 1, 1)\n")
    command = [sys.executable, "-c", code, str(path), str(EXAMPLE), str(changed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    wall, cpu, memory, effects = json.loads(done.stdout.splitlines()[-1])
    if not effects:
        raise RuntimeError("the plain loop sent nothing")
    return wall, cpu, memory
