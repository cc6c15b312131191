"""The answer of a search, as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.model.base import EpochMs, Model


class SearchPage(Model):
    """A page of devices that match. A page that BigQuery found may hold fewer than it says, or none, and
    still have a ``next``: who no longer matches is left out."""

    count: int = Field(description="How many devices this page has", examples=[1])
    per_page: int = Field(description="How many a page has at most", examples=[50])
    total: int | None = Field(default=None, description="How many match in all, if asked by total: true")
    next: str | None = Field(default=None, description="Cursor of the next page; absent on the last one")
    items: list[dict[str, Any]] = Field(
        description="Devices, or the fields of them that were asked for",
        examples=[[{"id": "3Vc8Qn0kZ5tWb1yLr7sXe2", "name": "Cold store 4"}]],
    )
    aggregations: dict[str, Any] | None = Field(
        default=None,
        description="The answer of each aggregation, in ElasticSearch's shape",
        examples=[{"byTag": {"buckets": [{"key": "north", "doc_count": 7}], "sum_other_doc_count": 0}}],
    )
    source: str = Field(
        description="Which store said who matches: firestore | bigquery", examples=["firestore"]
    )
    at: EpochMs | None = Field(
        default=None, description="The instant that the answer is of, if one was asked"
    )
