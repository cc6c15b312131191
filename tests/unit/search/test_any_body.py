"""Any JSON at all is read or refused by name, and what is read becomes SQL."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ApiError
from shared.search import aggregations, body, conditions, queries
from shared.search.body import read_search
from shared.search.firestore import plan
from shared.search.fleet_sql import Window

_WORDS = sorted(
    {
        *body.KEYS,
        *conditions._KINDS,
        *aggregations._KINDS,
        *(key for keys, _ in conditions._KINDS.values() for key in keys),
        *(key for keys, _ in aggregations._KINDS.values() for key in keys),
        *("type", "order", "missing", "from", "to", "key", "min", "max", "lat", "lon"),
        *("data/a", "data/a/b", "name", "tags", "id", "metadata/x", "asc", "_first", "and", "<", "between"),
    }
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(_WORDS),
    st.sampled_from(["data/a", "name", "tags"]),
)
_json = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(_WORDS), st.text(max_size=3)), inner, max_size=4),
    ),
    max_leaves=12,
)


@st.composite
def _conditions(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(sorted(conditions._KINDS)))
    keys = conditions._KINDS[kind][0]
    made = {key: draw(_json if draw(st.booleans()) else _scalars) for key in keys}
    return {"type": kind, **made} | ({"field": "data/a"} if "field" in keys and draw(st.booleans()) else {})


_bodies = st.one_of(
    _json,
    st.dictionaries(st.sampled_from(body.KEYS), _json, max_size=4),
    st.fixed_dictionaries({"filter": st.one_of(_conditions(), st.lists(_conditions(), max_size=2))}),
)


@settings(max_examples=400, deadline=None)
@given(_bodies)
def test_a_body_is_read_or_refused_by_name(given_body: Any) -> None:
    try:
        search = read_search(given_body)
    except ApiError as error:
        refused = (error.status, error.error)
        assert refused in ((400, "search.invalid"), (400, "search.unsupported"))
        return
    plan(search)
    window = Window.of(None, search.at, 1_700_000_000_000)
    assert queries.matching("history", "p", search, window).text.startswith("WITH ")
    if search.aggregations:
        assert queries.aggregated("history", "p", search, window).text.startswith("WITH ")
