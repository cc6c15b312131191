"""A deterministic fleet: the same seed gives the same events, faults of a real fleet included.

Half of the devices are cold rooms that report through gateways, half are trucks. Some events are sent
twice, some late and out of order, some by devices that nobody knows, and some are malformed.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from typing import Any, Literal

Fate = Literal["known", "unknown", "malformed"]

REPEATED, LATE, UNKNOWN, MALFORMED = 0.02, 0.05, 0.005, 0.005
STEP_MS = 15_000


@dataclass(frozen=True)
class DemoDevice:
    """A device of the demo and how it is called outside: (network, alias key, value)."""

    id: str
    blueprint: str
    network: str
    alias_key: str
    value: str


@dataclass(frozen=True)
class Sent:
    """One event as it goes over the wire. ``text`` is its JSON, ``event_id`` the sender's id."""

    network: str
    text: str
    fate: Fate
    event_id: str
    device_id: str
    repeat: bool = False


def devices(count: int = 50) -> list[DemoDevice]:
    """Cold rooms on ``warehouse-gateways`` by serial number, trucks on ``truck-modems`` by IMEI."""
    fleet = []
    for number in range(count):
        if number % 2 == 0:
            room = f"room{number:03d}"
            fleet.append(DemoDevice(room, "coldRoom", "warehouse-gateways", "serial", f"CR-{number:05d}"))
        else:
            truck = f"truck{number:03d}"
            fleet.append(DemoDevice(truck, "truck", "truck-modems", "imei", f"35693803{number:07d}"))
    return fleet


def events(fleet: list[DemoDevice], count: int, end_ms: int, seed: int = 1) -> list[Sent]:
    """``count`` events, repeats included, in the order of sending; the newest is at ``end_ms``."""
    rng = random.Random(seed)
    repeats = round(count * REPEATED)
    fresh = count - repeats
    unknown = round(count * UNKNOWN)
    malformed = round(count * MALFORMED)
    fates: list[Fate] = []
    fates.extend(["unknown"] * unknown)
    fates.extend(["malformed"] * malformed)
    fates.extend(["known"] * (fresh - unknown - malformed))
    rng.shuffle(fates)
    rounds = math.ceil(fresh / len(fleet))
    order: list[tuple[float, Sent]] = []
    for number, fate in enumerate(fates):
        turn, place = divmod(number, len(fleet))
        time = end_ms - (rounds - 1 - turn) * STEP_MS
        position = float(number)
        if fate == "known" and rng.random() < LATE / (1 - UNKNOWN - MALFORMED):
            position += rng.randint(2, 40) * len(fleet)
        order.append((position, _event(fleet[place], number, turn, time, fate, rng)))
    known = [item for item in order if item[1].fate == "known"]
    for position, sent in rng.sample(known, repeats):
        again = Sent(sent.network, sent.text, sent.fate, sent.event_id, sent.device_id, repeat=True)
        order.append((position + rng.randint(0, 20 * len(fleet)) + 0.5, again))
    return [sent for _, sent in sorted(order, key=lambda item: item[0])]


def _event(device: DemoDevice, number: int, turn: int, time: int, fate: Fate, rng: random.Random) -> Sent:
    data = _cold_room(turn, rng) if device.blueprint == "coldRoom" else _truck(number, turn, rng)
    value = device.value if fate != "unknown" else f"{device.value}-stranger-{number % 5}"
    event: dict[str, Any] = {"deviceId": value, "id": f"e{number:06d}", "time": time, "data": data}
    if device.blueprint == "coldRoom" and data["temperature"] > 7.5:
        event["event"] = {"type": "tooWarm", "data": {"temperature": data["temperature"]}}
    text = _malformed(event, number) if fate == "malformed" else json.dumps(event)
    return Sent(device.network, text, fate, str(event["id"]), device.id)


def _cold_room(turn: int, rng: random.Random) -> dict[str, Any]:
    data: dict[str, Any] = {
        "temperature": round(4 + 3 * math.sin(turn / 20) + rng.gauss(0, 0.4), 2),
        "humidity": round(70 + rng.gauss(0, 2), 1),
    }
    if rng.random() < 0.1:
        data["door"] = {"open": rng.random() < 0.5, "since": turn}
    return data


def _truck(number: int, turn: int, rng: random.Random) -> dict[str, Any]:
    data: dict[str, Any] = {
        "position": {
            "lat": round(48.1 + number % 50 / 100 + turn * 1e-4, 5),
            "lon": round(11.5 + math.sin(turn / 30) / 10, 5),
        },
        "engine/temperature": round(88 + rng.gauss(0, 3), 1),
        "engine/rpm": rng.randrange(700, 3200),
    }
    if rng.random() < 0.05:
        data["tyres"] = [round(rng.uniform(7.5, 8.6), 1) for _ in range(6)]
    return data


def _malformed(event: dict[str, Any], number: int) -> str:
    broken = dict(event)
    kind = number % 5
    if kind == 0:
        del broken["deviceId"]
    elif kind == 1:
        broken["data"] = {"not a path!": 1}
    elif kind == 2:
        broken["data"] = {"counter": 2**70}
    elif kind == 3:
        broken["data"] = 5
    else:
        return json.dumps(broken)[:-1] + ', "id": "again"}'
    return json.dumps(broken)
