"""What scripts stopped or replaced: all of it for replay, none of it for people."""

from __future__ import annotations

from fulcrum.core import ids
from shared import history_sql
from shared.clients import bigquery
from tests.support.history import History, alarm, at, event

# The table functions that people read through.
PEOPLE = ("events", "event_records")


async def test_two_scripts_of_a_series_that_replace_an_event_leave_both_inputs(
    history: History, project: str
) -> None:
    time = at("10:00:00.0")
    given = {"id": "e1", "hash": "h1"}
    # As it came to the first script, as that left it to the second, and as that left it to the writer.
    came = event(project, time, {"t": 1}, kind="input", script_id="first", **given)
    left = event(project, time, {"t": 2}, kind="input", script_id="second", **given)
    written = event(project, time, {"t": 3}, **given)
    recorded = alarm(project, time, "r1", kind="input", script_id="first")
    history.write(came, left, written, recorded)
    # Delivered again.
    history.write(left, came, recorded, written)
    condition = f"project_id = '{project}' AND time > TIMESTAMP '2020-01-01' AND kind = 'input'"
    sql = history_sql.distinct_rows("history", condition, "script_id, JSON_VALUE(data, '$.t') AS t")
    job = await bigquery.start(f"{sql} ORDER BY script_id, t", [], f"test_{ids.new_id()}", 2**40, 30)
    rows = (await bigquery.page(job, 100, 30)).rows
    assert rows == [["first", None], ["first", "1"], ["second", "2"]]
    assert await history.ask(project, {"paths": ["t"]}) == [{"t": 3}]
    assert await history.ask(project, {}, "events") == []
    functions = [
        f"history.{name}('{project}', TIMESTAMP '2020-01-01', TIMESTAMP '2100-01-01')" for name in PEOPLE
    ]
    for function, count in zip(functions, ("1", "0"), strict=True):
        job = await bigquery.start(f"SELECT COUNT(*) FROM {function}", [], f"test_{ids.new_id()}", 2**40, 30)
        assert (await bigquery.page(job, 100, 30)).rows == [[count]]
