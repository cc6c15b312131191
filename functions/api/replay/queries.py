"""The SQL of a replay's input: what the script met in a time, and what was known before it. Pure.

Nothing of a user's stands in SQL but by parameters. Partitions are pruned by the time of events, which may
lie before the time in which they were received: by :data:`LATE_MS` at most, what is later is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared import device_rows, history, history_sql, script_runs
from shared.clients.bigquery import Parameter

LATE_MS = 7 * 86_400_000
# A run may come after its event by as long as a message may wait for one.
_RUN_LATE_MS = 10 * 86_400_000
# Behind a snapshot rows are looked for that came late, as for the state at a past instant.
_READING_MS = 86_400_000
_SNAPSHOT_LATE_MS = 30 * 86_400_000

Sql = tuple[str, list[Parameter]]


@dataclass(frozen=True)
class Window:
    """Which events: of a script, received from ``since`` on and before ``until`` (epoch ms).

    ``devices`` None: all of the project; ``blueprint``, ``systems`` and ``event`` narrow it, where given.
    """

    dataset: str
    project_id: str
    script_id: str
    since: int
    until: int
    devices: tuple[str, ...] | None = None
    blueprint: str | None = None
    event: str | None = None

    def parameters(self) -> list[Parameter]:
        """The parameters that all of the queries have."""
        given: list[Parameter] = [
            ("project", "STRING", self.project_id),
            ("script", "STRING", self.script_id),
            ("since", "TIMESTAMP", self.since),
            ("until", "TIMESTAMP", self.until),
            ("earliest", "TIMESTAMP", max(0, self.since - LATE_MS)),
            ("latest", "TIMESTAMP", self.until + device_rows.AHEAD_MS),
            ("runs_until", "TIMESTAMP", self.until + _RUN_LATE_MS),
        ]
        return [*given, *self._narrowing()]

    def _narrowing(self) -> list[Parameter]:
        given: list[Parameter] = []
        if self.devices is not None:
            given.append(("devices", "ARRAY<STRING>", list(self.devices)))
        if self.blueprint is not None:
            given.append(("blueprint", "STRING", self.blueprint))
        if self.event is not None:
            given.append(("event", "STRING", self.event))
        return given

    def narrow(self) -> str:
        """The conditions that narrow it."""
        parts = []
        if self.devices is not None:
            parts.append("device_id IN UNNEST(@devices)")
        if self.blueprint is not None:
            parts.append("blueprint_id = @blueprint")
        if self.event is not None:
            parts.append("event_id = @event")
        return "".join(f" AND {part}" for part in parts)

    def rows(self, kinds: str = "'data', 'event', 'input'") -> str:
        """The condition on rows of the history."""
        return (
            "project_id = @project AND time >= @earliest AND time < @latest "
            f"AND received_time >= @since AND received_time < @until AND kind IN ({kinds}){self.narrow()}"
        )

    def runs(self) -> str:
        """The condition on rows of runs; those without a received time are of timers."""
        return (
            "project_id = @project AND script_id = @script AND started >= @since AND started < @runs_until "
            "AND COALESCE(received_time, started) >= @since AND COALESCE(received_time, started) < @until"
            f"{self.narrow()}"
        )


# Of rows of one run the latest stored counts.
_NEWEST_RUN = "QUALIFY ROW_NUMBER() OVER (PARTITION BY run_key ORDER BY stored_time DESC, started) = 1"


def overview(window: Window) -> Sql:
    """Per device: how many rows and runs there are, and when the first row was received (epoch ms)."""
    sql = (
        "SELECT device_id, SUM(found) AS found, SUM(runs) AS runs, MIN(first) AS first FROM ("  # noqa: S608 our own
        "SELECT device_id, COUNT(*) AS found, 0 AS runs, UNIX_MILLIS(MIN(received_time)) AS first "
        f"FROM `{window.dataset}.{history.TABLE}` WHERE {window.rows()} GROUP BY device_id "
        "UNION ALL SELECT COALESCE(device_id, '') AS device_id, 0 AS found, COUNT(*) AS runs, "
        "UNIX_MILLIS(MIN(started)) AS first "
        f"FROM `{window.dataset}.{script_runs.TABLE}` WHERE {window.runs()} GROUP BY device_id"
        ") GROUP BY device_id ORDER BY device_id"
    )
    return sql, window.parameters()


# The columns of a result of :func:`events`, in their order. Times are epoch ms.
EVENT_COLUMNS = (
    *("kind", "device_id", "event_id", "content_hash", "record_id", "ms", "received", "stored"),
    *("system_id", "blueprint_id", "network_id", "original_time", "historical", "data", "cleared"),
    *("written", "event_type", "user_id", "source", "script_id", "run"),
)
_RUN_FIELDS = (
    *("run_key", "#version", "entry", "step", "#UNIX_MILLIS(started)", "#seq", "status", "result"),
    *("message", "params", "effects", "cache", "script_cache"),
    *("failure_kind", "failure_type", "failure_message", "#cpu_us", "#wall_us"),
)
_BY_EVENT = "OVER (PARTITION BY device_id, event_id, content_hash)"


def _as_json(field: str) -> str:
    number = field.removeprefix("#")
    return f"TO_JSON_STRING({field})" if number == field else f"CAST({number} AS STRING)"


def events(window: Window, is_whole: bool = True) -> Sql:
    """Rows of the history and runs of the script, those of one event one after the other, in their order.

    A run stands as a row of kind ``run``; its column ``run`` is a JSON array of ``_RUN_FIELDS``.
    ``is_whole``: with the script's cache, which is made of all devices.
    """
    rows = history_sql.distinct_rows(
        window.dataset,
        window.rows(),
        "kind, device_id, event_id, content_hash, record_id, time, received_time, stored_time, system_id, "
        "blueprint_id, network_id, original_time, historical, data, "
        "ARRAY_TO_STRING(cleared, ',') AS cleared, ARRAY_TO_STRING(written, ',') AS written, event_type, "
        "user_id, source, script_id, CAST(NULL AS STRING) AS run",
    )
    fields = ", ',', ".join(
        f"COALESCE({_as_json(name)}, 'null')" if is_whole or name != "script_cache" else "'null'"
        for name in _RUN_FIELDS
    )
    nothing = "CAST(NULL AS STRING)"
    runs = (
        "SELECT 'run' AS kind, COALESCE(device_id, '') AS device_id, "  # noqa: S608 our own text
        "COALESCE(event_id, run_key) AS event_id, "
        f"COALESCE(content_hash, '') AS content_hash, {nothing} AS record_id, "
        "COALESCE(event_time, received_time, started) AS time, "
        f"COALESCE(received_time, started) AS received_time, stored_time, {nothing} AS system_id, "
        f"blueprint_id, {nothing} AS network_id, {nothing} AS original_time, FALSE AS historical, "
        f"CAST(NULL AS JSON) AS data, {nothing} AS cleared, {nothing} AS written, {nothing} AS event_type, "
        f"{nothing} AS user_id, {nothing} AS source, {nothing} AS script_id, "
        f"CONCAT('[', {fields}, ']') AS run FROM `{window.dataset}.{script_runs.TABLE}` "
        f"WHERE {window.runs()} {_NEWEST_RUN}"
    )
    # An event's record has a time of its own.
    when = f"COALESCE(MIN(IF(record_id IS NULL, time, NULL)) {_BY_EVENT}, MIN(time) {_BY_EVENT})"
    ordered = (
        f"SELECT *, {when} AS event_time, MIN(received_time) {_BY_EVENT} AS came "  # noqa: S608 our own text
        f"FROM ({rows} UNION ALL {runs})"
    )
    shown = {"ms": "UNIX_MILLIS(time)", "received": "UNIX_MILLIS(received_time)"} | {
        "stored": "UNIX_MILLIS(stored_time)"
    }
    columns = ", ".join(f"{shown.get(name, name)} AS {name}" for name in EVENT_COLUMNS)
    sql = (
        f"SELECT {columns} FROM ({ordered}) "  # noqa: S608 our own text
        "ORDER BY came, event_time, event_id, device_id, content_hash, kind, ms, record_id, run"
    )
    return sql, window.parameters()


def states(
    window: Window, devices: Sequence[str], snapshot: int | None, before: tuple[int, str] | None
) -> Sql:
    """The rows that the states of devices were made of when the window began, by device.

    Columns: device_id, ms, event_id, data, cleared, stored: when the last row of the device was stored (epoch
    ms), if that is known. Of rows that write the same paths the latest alone, which is all that the others
    came to. ``before``: (event time, event id): of what was received at
    ``since`` itself, what stands before that event.
    """
    parameters: list[Parameter] = [
        ("project", "STRING", window.project_id),
        ("devices", "ARRAY<STRING>", list(devices)),
        ("since", "TIMESTAMP", window.since),
        ("latest", "TIMESTAMP", window.since + device_rows.AHEAD_MS),
    ]
    known = "received_time < @since"
    if before is not None:
        parameters.append(("event", "STRING", before[1]))
        parameters.append(("event_time", "TIMESTAMP", before[0]))
        known = (
            "(received_time < @since OR received_time = @since AND "
            "(time < @event_time OR time = @event_time AND event_id < @event))"
        )
    whose = "project_id = @project AND device_id IN UNNEST(@devices)"
    columns = "device_id, IF(kind = 'baseline', SAFE_CAST(original_time AS INT64), UNIX_MILLIS(time)) AS ms"
    rows = (
        f"SELECT {columns}, event_id, data, ARRAY_TO_STRING(cleared, ',') AS cleared, "  # noqa: S608 our own text
        # A baseline row is written anew every night: of a write that was stored long before.
        "IF(kind = 'baseline', NULL, stored_time) AS stored_time "
        f"FROM `{window.dataset}.{history.TABLE}` WHERE {whose} AND time < @latest AND {known} "
        "AND kind IN ('data', 'baseline') AND NOT historical"
    )
    if snapshot is not None:
        parameters += [
            ("snapshot", "TIMESTAMP", snapshot),
            ("read", "TIMESTAMP", snapshot - _READING_MS),
            ("from", "TIMESTAMP", max(0, snapshot - _SNAPSHOT_LATE_MS)),
        ]
        rows += " AND time >= @from AND (time > @snapshot OR stored_time > @read)"
        rows += (
            " UNION ALL SELECT device_id, UNIX_MILLIS(time) AS ms, event_id, data, "  # noqa: S608 our own text
            "ARRAY_TO_STRING(cleared, ',') AS cleared, CAST(NULL AS TIMESTAMP) AS stored_time "
            f"FROM `{window.dataset}.{device_rows.SNAPSHOTS}` "
            f"WHERE {whose} AND snapshot_time = @snapshot AND kind = 'state'"
        )
    shaped = (
        "SELECT device_id, ms, event_id, data, cleared, "  # noqa: S608 our own text
        "UNIX_MILLIS(MAX(stored_time) OVER (PARTITION BY device_id)) AS stored, "
        f"COALESCE(ARRAY_TO_STRING(JSON_KEYS(data), ','), '') AS shape FROM ({rows})"
    )
    # Equal stamps are all kept: the fold decides between them by their values.
    sql = (
        f"SELECT device_id, ms, event_id, data, cleared, stored FROM ({shaped}) "  # noqa: S608 our own text
        "QUALIFY RANK() OVER (PARTITION BY device_id, shape, COALESCE(cleared, '') "
        "ORDER BY ms DESC, event_id DESC) = 1 ORDER BY device_id"
    )
    return sql, parameters


def caches(
    window: Window, look_back_ms: int, ran: tuple[int, int] | None = None, is_whole: bool = True
) -> Sql:
    """The caches that the runs of the window found: device_id (NULL: the script's), value, late.

    They are those of events received before the window, as the last run left them that came before any of
    the window's own. Runs of such events that came amid the window's cannot be placed: ``late`` is when the
    last of them began (epoch ms), NULL where there is none; ``value`` is NULL where only such have left one.

    ``is_whole``: with the script's, which is made of all devices. Devices are those of the window, where it
    names any. ``ran``: (when its call began, place in it) of one run, before which they are asked for: the
    call of an event received earlier may have begun later.
    """
    parameters: list[Parameter] = [
        ("project", "STRING", window.project_id),
        ("script", "STRING", window.script_id),
        ("since", "TIMESTAMP", window.since),
        ("from", "TIMESTAMP", max(0, window.since - look_back_ms)),
        ("runs_until", "TIMESTAMP", window.since + _RUN_LATE_MS),
    ]
    narrow = ""
    if window.devices is not None:
        parameters.append(("devices", "ARRAY<STRING>", list(window.devices)))
        narrow = " AND device_id IN UNNEST(@devices)"
    is_before = "COALESCE(received_time, started) < @since"
    if ran is not None:
        parameters += [("started", "TIMESTAMP", ran[0]), ("seq", "INT64", ran[1])]
        is_before = "(started < @started OR started = @started AND COALESCE(seq, 0) < @seq)"
    sql = _caches(window, "device_id", "cache", is_before, f" AND device_id IS NOT NULL{narrow}")
    if is_whole:
        whole = _caches(window, "CAST(NULL AS STRING)", "script_cache", is_before, "")
        sql = f"{sql} UNION ALL {whole}"
    return sql, parameters


def _caches(window: Window, whose: str, column: str, is_before: str, narrow: str) -> str:
    # In the order in which runs came: those of one call by their places in it.
    runs = (
        f"SELECT {whose} AS device_id, {column} AS value, started, stored_time, "  # noqa: S608 our own text
        f"UNIX_MILLIS(started) * 10000 + COALESCE(seq, 0) AS place, {is_before} AS is_before "
        f"FROM `{window.dataset}.{script_runs.TABLE}` WHERE project_id = @project AND script_id = @script "
        f"AND started >= @from AND started < @runs_until{narrow}"
    )
    placed = (
        "SELECT *, MIN(IF(is_before, NULL, place)) OVER (PARTITION BY device_id) AS first "  # noqa: S608 our own text
        f"FROM ({runs})"
    )
    found = (
        "SELECT *, first IS NOT NULL AND place > first AS is_late "  # noqa: S608 our own text
        f"FROM ({placed}) WHERE is_before AND value IS NOT NULL"
    )
    return (
        "SELECT device_id, IF(is_late, NULL, value) AS value, "  # noqa: S608 our own text
        "UNIX_MILLIS(MAX(IF(is_late, started, NULL)) OVER (PARTITION BY device_id)) AS late "
        f"FROM ({found}) QUALIFY ROW_NUMBER() OVER "
        "(PARTITION BY device_id ORDER BY is_late, place DESC, stored_time DESC) = 1"
    )


def find_event(window: Window) -> Sql:
    """When the event of the window was received and happened (epoch ms), if it is in the history at all.

    Columns: received, happened; of its first run, if it has one, when its call began, and its place in it.
    """
    sql = (
        "SELECT UNIX_MILLIS(MIN(received)) AS received, UNIX_MILLIS(MIN(happened)) AS happened, "  # noqa: S608 our own
        "UNIX_MILLIS(MIN(started)) AS started, MIN(seq) AS seq FROM ("
        "SELECT received_time AS received, time AS happened, "
        "CAST(NULL AS TIMESTAMP) AS started, CAST(NULL AS INT64) AS seq "
        f"FROM `{window.dataset}.{history.TABLE}` WHERE {window.rows()} "
        "UNION ALL SELECT COALESCE(received_time, started) AS received, "
        "COALESCE(event_time, started) AS happened, started, COALESCE(seq, 0) AS seq "
        f"FROM `{window.dataset}.{script_runs.TABLE}` "
        f"WHERE {window.runs()})"
    )
    return sql, window.parameters()
