"""What a script is given besides its message, and how it says what is to be done.

Nothing is done while a script runs: what it asks for is recorded, checked at once, and carried out after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from fulcrum.script import effects, wire
from fulcrum.script.logs import Log
from fulcrum.script.values import NotJson, copied, encoded_size, ordered, plain

if TYPE_CHECKING:
    import random

    from fulcrum.script.carrying import World

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class NotGiven(LookupError):
    """The script reads what it did not say that it needs, or what its event has none of."""


class Context:
    """One run's surroundings. Values are copies: changing them changes nothing but what this run sees."""

    __slots__ = (
        "_cache_set",
        "_closed",
        "_effects",
        "_entry",
        "_event",
        "_given",
        "_log",
        "_over",
        "_read",
        "_script_cache_set",
        "_world",
    )

    def __init__(self, world: World, event: wire.Event, entry: str, given: frozenset[str], log: Log) -> None:
        self._world = world
        self._event = event
        self._entry = entry
        self._given = given
        self._log = log
        self._effects: list[wire.Effect] = []
        self._cache_set: wire.Cache | None = None
        self._script_cache_set: wire.Cache | None = None
        # The first limit that was passed; the run fails by it even if the script catches the error.
        self._over: effects.InvalidEffect | None = None
        self._closed = False
        # What was read, by name: a script finds what it changed of it as it left it.
        self._read: dict[str, Any] = {}

    # What is there

    @property
    def script_id(self) -> str:
        """The script's id."""
        return self._world.script_id

    @property
    def project_id(self) -> str:
        """The project's id."""
        return self._world.project_id

    @property
    def version(self) -> int:
        """The version of the script that runs."""
        return self._world.version

    @property
    def entry(self) -> str:
        """The name of the entry point that runs."""
        return self._entry

    @property
    def device_id(self) -> str | None:
        """The id of the device that the event concerns; None where it concerns none."""
        return self._event.device_id

    @property
    def now(self) -> datetime:
        """When the platform received the event (for a timer: when it was due), in UTC.

        Use it in the place of the clock: a replay has it too.
        """
        return _EPOCH + timedelta(milliseconds=self._event.now)

    @property
    def time(self) -> datetime:
        """The event's own time, in UTC."""
        return _EPOCH + timedelta(milliseconds=self._time)

    @property
    def _time(self) -> int:
        time = self._event.message.get("time")
        return time if type(time) is int else self._event.now

    @property
    def random(self) -> random.Random:
        """Random numbers that follow from the event: every run of it, a replay's too, has the same."""
        if "random" not in self._read:
            import random

            self._read["random"] = random.Random(self._event.seed)
        return cast("random.Random", self._read["random"])

    @property
    def params(self) -> dict[str, Any]:
        """What the route, the timer or the topic's message gives the script besides its name."""
        if "params" not in self._read:
            self._read["params"] = copied(self._event.params)
        return cast("dict[str, Any]", self._read["params"])

    parameters = params

    @property
    def device_data(self) -> dict[str, Any]:
        """The device's data, nested, as it was before this event; needs ``deviceData``."""
        if "deviceData" not in self._read:
            self._require("deviceData", "device_data")
            device_id = self._event.device_id
            state = self._world.devices.get(device_id) if device_id is not None else None
            if state is None:
                raise NotGiven("this event concerns no device that is known: see context.device_id")
            self._read["deviceData"] = ordered(state.data)
        return cast("dict[str, Any]", self._read["deviceData"])

    @property
    def device(self) -> dict[str, Any]:
        """The device: ``id``, ``name``, ``blueprintId``, ``metadata``...; needs ``device``."""
        return self._definition("device", device_of)

    @property
    def system(self) -> dict[str, Any]:
        """The system that the device is in; needs ``system``."""
        return self._definition("system", system_of)

    @property
    def blueprint(self) -> dict[str, Any]:
        """The device's blueprint; needs ``blueprint``."""
        return self._definition("blueprint", blueprint_of)

    @property
    def project(self) -> dict[str, Any]:
        """The project; needs ``project``."""
        return self._definition("project", lambda world, event: world.project)

    # What is kept from event to event

    @property
    def cache(self) -> Any:
        """What this script keeps for the event's device: ``{}`` at first; needs ``cache``."""
        if "cache" not in self._read:
            self._require("cache", "cache")
            self._read["cache"] = self._world.cache(self._device_for("context.cache"))
        return self._read["cache"]

    def set_cache(self, value: Any) -> None:
        """Keep a JSON value of at most 100 kB for the event's device; needs ``cache``."""
        self._open()
        self._require("cache", "cache")
        self._device_for("context.set_cache")
        self._cache_set = _kept(value, "the cache", wire.MAX_CACHE_BYTES)
        self._read["cache"] = copied(self._cache_set.value)

    @property
    def script_cache(self) -> Any:
        """What this script keeps for all devices together: ``{}`` at first; needs ``scriptCache``."""
        if "scriptCache" not in self._read:
            self._require("scriptCache", "script_cache")
            value = self._world.script_cache
            self._read["scriptCache"] = {} if value is None else copied(value)
        return self._read["scriptCache"]

    def set_script_cache(self, value: Any) -> None:
        """Keep a JSON value of at most 400 kB for all devices together; needs ``scriptCache``.

        Runs for other devices that set it meanwhile are run again one after the other: keep what
        concerns one device in ``cache``.
        """
        self._open()
        self._require("scriptCache", "script_cache")
        self._script_cache_set = _kept(value, "the script cache", wire.MAX_SCRIPT_CACHE_BYTES)
        self._read["scriptCache"] = copied(self._script_cache_set.value)

    # What is to be done

    def log(self, *parts: Any) -> None:
        """A line in the script's log."""
        self._log.add("info", " ".join([part if type(part) is str else str(part) for part in parts]))

    def error(self, *parts: Any) -> None:
        """A line in the script's log that tells of something wrong; the run goes on."""
        self._log.add("error", " ".join([part if type(part) is str else str(part) for part in parts]))

    def send_email(
        self,
        message: str | Mapping[str, Any] | None = None,
        to: str | Sequence[str] | None = None,
        *,
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        cc: str | Sequence[str] | None = None,
        bcc: str | Sequence[str] | None = None,
        blind_to: str | Sequence[str] | None = None,
        sender: str | None = None,
        template: str | None = None,
        context: Mapping[str, Any] | None = None,
        attachments: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Have a mail sent.

        ``message``: its subject, or an object with the fields of an ``emailMsg``, which the other arguments
        complete. ``blind_to``: a mail of his own for each of them. ``template``: an id or alias, filled from
        ``context``.
        """
        given = {
            "to": to,
            "subject": subject,
            "text": text,
            "html": html,
            "cc": cc,
            "bcc": bcc,
            "blindTo": blind_to,
            "from": sender,
            "template": template,
            "context": context,
            "attachments": attachments,
        }
        self._record(effects.email, message, given)

    def send_sms(
        self,
        message: str | Mapping[str, Any] | None = None,
        to: str | Sequence[str] | None = None,
        *,
        template: str | None = None,
        context: Mapping[str, Any] | None = None,
        limit: Mapping[str, Any] | None = None,
    ) -> None:
        """Have a text message sent.

        ``message``: its text, or an object with the fields of an ``smsMsg``. ``limit``: at most so many, as
        ``{"count": 1, "period": ms, "duration": ms, "key": "..."}``.
        """
        given = {"recipients": to, "templateId": template, "context": context, "limitOptions": limit}
        self._record(effects.sms, message, given)

    def set_device_data(
        self,
        values: Any,
        device_id: str | None = None,
        time: datetime | int | None = None,
        route: bool = False,
    ) -> None:
        """Have data written to a device of the project.

        ``values``: ``{path: value}``, ``{"path": ..., "value": ...}``, or a list of those. ``device_id``: the
        event's own device if None. ``time``: the event's own if None. ``route``: along the device's own
        route, scripts included, and not straight to storage.
        """
        self._record(
            effects.device_data,
            values,
            device_id if device_id is not None else self._event.device_id,
            self._time if time is None else time,
            route,
        )

    def send_message(
        self,
        message: Any,
        device_id: str | None = None,
        *,
        ttl: timedelta | int | None = None,
        key: str | None = None,
    ) -> None:
        """Have a message (any JSON) sent to a device, by the way that its network has for messages.

        ``device_id``: the event's own device if None. ``ttl`` (a timedelta, or ms): how long it waits for a
        device that is away, a day if None. ``key``: of those with the same one only the newest waits.
        """
        self._record(effects.message, message, device_id or self._event.device_id, ttl, key)

    def set_timer(
        self,
        id: str,
        *,
        timer: Mapping[str, Any] | None = None,
        delay: timedelta | int | None = None,
        when: datetime | int | None = None,
        action: Mapping[str, Any] | None = None,
        entry: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """Set a timer; one that has this id is set anew.

        One of ``delay`` (a timedelta, or ms), ``when`` (a datetime, or epoch ms) and ``timer``
        (``{"type": "once" | "repeating" | "scheduled" | "solar", ...}``). ``id`` is this script's own for
        this device. It runs ``entry`` of this script (this entry point if None) with ``params`` for the same
        device, or does ``action`` (``publishTopic``, ``queryUrl``).
        """
        self._record(
            effects.set_timer,
            id,
            effects.Start(timer, delay, when),
            action,
            self._entry if entry is None else entry,
            params,
            self._event.device_id,
        )

    def cancel_timer(self, id: str) -> None:
        """Cancel a timer that this script set for this device; one that is not there is no error."""
        self._record(effects.cancel_timer, id)

    def publish(
        self, topic: str, message: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> None:
        """Have a message published to a topic of yours, or to another script (``topic="reason"``)."""
        self._record(effects.publish, topic, message, options)

    # Within

    def _record(self, make: Any, *given: Any) -> None:
        self._open()
        if len(self._effects) >= wire.MAX_EFFECTS:
            self._over = effects.InvalidEffect(f"more than {wire.MAX_EFFECTS} effects in one run")
            raise self._over
        try:
            self._effects.append(make(*given))
        except NotJson as error:
            raise effects.InvalidEffect(str(error)) from None

    def _open(self) -> None:
        if self._closed:
            raise RuntimeError("this context's event is over: do not keep a context for later")

    def _definition(
        self, name: str, find: Callable[[World, wire.Event], Mapping[str, Any] | None]
    ) -> dict[str, Any]:
        if name not in self._read:
            self._require(name, name)
            found = find(self._world, self._event)
            if found is None:
                raise NotGiven(f"this event has no {name} that is known")
            self._read[name] = copied(dict(found))
        return cast("dict[str, Any]", self._read[name])

    def _require(self, name: str, written: str) -> None:
        if name not in self._given:
            raise NotGiven(
                f"context.{written} is not given: add {name!r} to the needs of {self._entry!r}, as in "
                f'@needs("{name}")'
            )

    def _device_for(self, what: str) -> str:
        if self._event.device_id is None:
            raise NotGiven(f"{what} is kept by device, and this event concerns none: use the script cache")
        return self._event.device_id


def device_of(world: World, event: wire.Event) -> Mapping[str, Any] | None:
    """The definition of an event's device, if it has one that is known."""
    state = world.devices.get(event.device_id) if event.device_id is not None else None
    return None if state is None else state.device


def system_of(world: World, event: wire.Event) -> Mapping[str, Any] | None:
    """The definition of an event's system: of its message, else of its device."""
    return _related(world.systems, world, event, "systemId")


def blueprint_of(world: World, event: wire.Event) -> Mapping[str, Any] | None:
    """The definition of an event's blueprint: of its message, else of its device."""
    return _related(world.blueprints, world, event, "blueprintId")


def _related(
    found: Mapping[str, Mapping[str, Any]], world: World, event: wire.Event, key: str
) -> Mapping[str, Any] | None:
    name = event.message.get(key) or (device_of(world, event) or {}).get(key)
    return found.get(name) if isinstance(name, str) else None


def _kept(value: Any, what: str, most: int) -> wire.Cache:
    made = plain(value, what)
    size = encoded_size(made, what)
    if size > most:
        raise ValueError(f"{what} would have {size} bytes: at most {most}")
    return wire.Cache(value=made)
