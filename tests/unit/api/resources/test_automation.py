"""What acts by itself: references that hold it, cron expressions, and scripts that nobody runs."""

from __future__ import annotations

import pytest

from fulcrum.core import ids
from functions.api.resources import script_check
from shared.errors import ApiError
from shared.model import cron
from tests.support.api import Api
from tests.unit.api.resources.kinds import TIMER


async def test_a_script_stays_as_long_as_a_timer_runs_it(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        body = {"name": "S", "alias": "s", "code": "def run(message, context):\n    pass\n"}
        script = (await http.post(f"/v1/project/{project}/scripts", json=body)).json()
        answer = await http.post(f"/v1/project/{project}/timers", json=TIMER | {"scriptId": script["id"]})
        timer = answer.json()
        path = f"/v1/project/{project}/timers"
        listed = (await http.get(path, params={"scriptId": script["id"], "refs": True})).json()
        assert listed["refs"]["script"][script["id"]]["alias"] == "s"
        refused = await http.delete(f"/v1/script/{script['id']}", params=query)
        assert (refused.status_code, refused.json()["error"]) == (409, "script.inUse")
        assert timer["id"] in refused.json()["message"]
        assert (await http.delete(f"/v1/timer/{timer['id']}", params=query)).status_code == 200
        assert (await http.delete(f"/v1/script/{script['id']}", params=query)).status_code == 200


@pytest.mark.parametrize(
    "code",
    [
        "def run(message, context):\n    import os; os._exit(3)\n",
        "import sys\nsys.exit('at import')\ndef run(message, context):\n    pass\n",
        "while True:\n    pass\ndef run(message, context): pass\n",
        "async def other(message, context): pass\n",
        "def run(message, context):\n    return '\\d'\n",
        "def run(m, c):\n    return " + "+".join(["1"] * 2000) + "\n",
    ],
    ids=lambda code: ascii(code)[:30],
)
async def test_a_script_is_compiled_and_never_run(code: str) -> None:
    await script_check.check(code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "# nothing\n",
        "def run(message, context):\nreturn\n",
        "def run(m, c):\n    return " + "(" * 2000 + ")" * 2000 + "\n",
        "def run(m, c):\n    return " + "-" * 200_000 + "1\n",
        "def run(m, c):\n\tif 1:\n        pass\n\tpass\n",
        "def run(m, c): return f'{'\n",
        "\ud800",
        "exec(" * 60_000,
    ],
    # The test's name goes into the environment of its subprocess, which has room for so much.
    ids=lambda code: ascii(code)[:30],
)
async def test_what_is_no_script_is_refused_by_its_line(code: str) -> None:
    with pytest.raises(ApiError) as refused:
        await script_check.check(code)
    assert (refused.value.status, refused.value.error) == (400, "script.code")
    assert len(refused.value.message) < 600


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("* * * * *", ""),
        ("*/15 8-18/2 1,15 jan-mar mon-fri", ""),
        ("0 0 29 2 *", ""),
        ("59 23 31 12 7", ""),
        ("0 0 31 4,6 mon", ""),
        ("0 0 31 2 *", "never"),
        ("0 0 31 4,6,9,11 *", "never"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "weekday"),
        ("5-1 * * * *", "backwards"),
        ("*/0 * * * *", "minute"),
        ("*/ * * * *", "minute"),
        (", * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("１ * * * *", "minute"),
        ("* * * *", "five"),
        ("* * * * * *", "five"),
        ("@daily", "five"),
        ("", "five"),
    ],
)
def test_cron_expressions(text: str, wrong: str) -> None:
    found = cron.problem(text)
    assert wrong in found
    assert bool(found) == bool(wrong)


@pytest.mark.parametrize(
    ("part", "least", "greatest", "expected"),
    [
        ("*/20", 0, 59, {0, 20, 40}),
        ("5/20", 0, 59, {5, 25, 45}),
        ("1-5,9", 0, 23, {1, 2, 3, 4, 5, 9}),
        ("10-20/5", 0, 59, {10, 15, 20}),
    ],
)
def test_what_a_field_allows(part: str, least: int, greatest: int, expected: set[int]) -> None:
    assert cron.values(part, least, greatest) == expected
