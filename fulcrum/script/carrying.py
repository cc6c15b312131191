"""What events of a call have in common, and what one leaves to the next: definitions, states, caches.

Nothing that a script gets is shared with what is here: it may change what it gets, and harms nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from fulcrum.core import fold
from fulcrum.core.errors import Rejected
from fulcrum.core.settle import Settled, settle
from fulcrum.core.writes import Write
from fulcrum.script import wire
from fulcrum.script.identity import effect_id
from fulcrum.script.values import copied

# Where nobody reads a state, what is written to it waits, and is folded in together.
_MAX_PENDING = 256


class DeviceState:
    """A device's definition and its data, which grows by writes.

    ``registers``: as stored (:func:`fulcrum.core.fold.encode`), decoded when first looked at.
    """

    __slots__ = ("_data", "_encoded", "_nested", "_pending", "_registers", "device")

    def __init__(self, device: Mapping[str, Any], registers: str | bytes = b"") -> None:
        self.device = device
        self._encoded = registers.encode() if isinstance(registers, str) else registers
        self._registers: fold.Registers | None = None
        self._data: dict[str, Any] | None = None
        self._pending: list[tuple[fold.Stamp, Settled]] = []
        # Top-level keys below which there was ever anything.
        self._nested: set[str] = set()

    def write(self, stamp: fold.Stamp, writes: Sequence[Write]) -> None:
        """Fold in one event's writes; Rejected for a path that cannot stand."""
        settled = settle(writes)
        if not settled.leaves and not settled.cleared:
            return
        self._pending.append((stamp, settled))
        if len(self._pending) >= _MAX_PENDING:
            self._settle()

    @property
    def registers(self) -> fold.Registers:
        """The registers with all that was written; not to be changed."""
        return self._settle()

    @property
    def data(self) -> dict[str, Any]:
        """The nested data; not to be changed, and good until the next write."""
        registers = self._settle()
        if self._data is None:
            self._data = fold.derive(registers)
        return self._data

    def _settle(self) -> fold.Registers:
        registers = self._registers
        if registers is None:
            registers = self._registers = fold.decode(self._encoded)
            self._encoded = b""
            self._nested.update(fold.root(path) for path in registers if "/" in path)
        if self._pending:
            for _, (leaves, cleared) in self._pending:
                self._nested.update([fold.root(path) for path in leaves if "/" in path])
                self._nested.update([fold.root(path) for path in cleared if "/" in path])
            roots = fold.fold(registers, self._pending)
            self._pending.clear()
            if self._data is not None:
                self._refresh(self._data, registers, roots)
        return registers

    def _refresh(self, data: dict[str, Any], registers: fold.Registers, roots: set[str]) -> None:
        deep = roots & self._nested
        for key in roots:
            register = registers.get(key)
            if key in deep or register is None or register[1] is fold.CLEARED:
                data.pop(key, None)
            else:
                data[key] = register[1]
        if deep:
            data.update(fold.derive(registers, deep))


class World:
    """All that the events of a call may see. ``caches``: by device id.

    ``states``: whether devices' data is followed; without it, nobody may ask for it.
    """

    __slots__ = (
        "blueprints",
        "caches",
        "devices",
        "project",
        "project_id",
        "script_cache",
        "script_id",
        "states",
        "systems",
        "version",
    )

    def __init__(
        self,
        *,
        script_id: str,
        project_id: str,
        version: int = 0,
        project: Mapping[str, Any] | None = None,
        systems: Mapping[str, Mapping[str, Any]] | None = None,
        blueprints: Mapping[str, Mapping[str, Any]] | None = None,
        devices: dict[str, DeviceState] | None = None,
        caches: dict[str, Any] | None = None,
        script_cache: Any = None,
        states: bool = True,
    ) -> None:
        self.script_id = script_id
        self.project_id = project_id
        self.version = version
        self.project = project or {}
        self.systems = systems or {}
        self.blueprints = blueprints or {}
        self.devices = {} if devices is None else devices
        self.caches = {} if caches is None else caches
        self.script_cache = script_cache
        self.states = states

    @classmethod
    def of(cls, call: wire.Call, *, version: int = 0, states: bool = True) -> World:
        """What a call brings."""
        return cls(
            script_id=call.script_id,
            project_id=call.project_id,
            version=version,
            project=call.project,
            systems=call.systems,
            blueprints=call.blueprints,
            devices={id: DeviceState(each.device, each.registers) for id, each in call.devices.items()},
            caches=dict(call.caches),
            script_cache=call.script_cache,
            states=states,
        )

    def cache(self, device_id: str) -> Any:
        """A copy of a device's cache; ``{}`` where there is none."""
        value = self.caches.get(device_id)
        return {} if value is None else copied(value)

    def follow(self, event: wire.Event, outcome: wire.Outcome) -> None:
        """Carry on from an event to the next."""
        if outcome.cache is not None and event.device_id is not None:
            self.caches[event.device_id] = outcome.cache.value
        if outcome.script_cache is not None:
            self.script_cache = outcome.script_cache.value
        if not self.states:
            return
        state = self.devices.get(event.device_id) if event.device_id is not None else None
        if state is not None:
            message = _written(event, outcome)
            if message is not None:
                _write(state, (message["time"], event.message["id"]), _writes(message.get("data")))
        for index, effect in enumerate(outcome.effects):
            # What goes along the device's route first is stored later than anything of this call.
            if type(effect) is wire.SetDeviceData and not effect.route and effect.device_id in self.devices:
                stamp = (effect.time, effect_id(event.key, index))
                _write(self.devices[effect.device_id], stamp, effect.data)


def _written(event: wire.Event, outcome: wire.Outcome) -> Mapping[str, Any] | None:
    """The message as it is stored after an event, None where its device's state does not change."""
    message: Mapping[str, Any] = event.message
    if event.follows == "result":
        if outcome.status == "failed" or outcome.result is False:
            return None
        if outcome.result is not None:
            message = {**message, **outcome.result}
    if event.message.get("type") != "deviceDataEventMsg" or message.get("historical"):
        return None
    return message


def _writes(data: Any) -> list[Write]:
    return [Write(each["path"], each.get("value"), each.get("op", UNSET)) for each in data or ()]


def _write(state: DeviceState, stamp: fold.Stamp, writes: Sequence[Write]) -> None:
    try:
        state.write(stamp, writes)
    except Rejected:
        # It is not stored either: it goes to quarantine when it comes to that.
        return
