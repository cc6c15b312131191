"""A first project for whoever tries the stack by hand: one network, one blueprint, three devices, a key."""

from __future__ import annotations

import os

from google.cloud import firestore

from local import seed
from local.options import DEMO_NETWORK, DEMO_PROJECT
from shared import clock, keys

# How many keys of earlier starts stay valid.
_EARLIER_KEYS = 20
DEVICES = ("room-1", "room-2", "room-3")


def provision(project: str, firestore_address: str, key_text: str) -> None:
    """Make the project unless an earlier run left it; ``key_text`` becomes its network's key either way."""
    key = keys.parse(key_text)
    if key is None:
        raise ValueError("the demo network's key is no key of a network")
    os.environ["FIRESTORE_EMULATOR_HOST"] = firestore_address
    client = firestore.Client(project=project)
    network = client.document(f"networks/{DEMO_NETWORK}")
    if not network.get().exists:
        devices = [seed.SeedDevice(name, "room", DEMO_NETWORK, name) for name in DEVICES]
        seed.create(
            client, seed.SeedProject(DEMO_PROJECT, (seed.SeedNetwork(DEMO_NETWORK),), {"room": None}, devices)
        )
    # Only a key's hash is kept, so that a kept project gets a new one at every start; what uses an earlier
    # one goes on.
    earlier = (network.get().to_dict() or {})["keys"]
    newest = sorted(earlier, key=lambda name: earlier[name]["created"])[-_EARLIER_KEYS:]
    kept = {name: earlier[name] for name in newest}
    network.update({"keys": {**kept, key.id: {"hash": key.hash, "created": clock.now_ms()}}})
    client.close()
