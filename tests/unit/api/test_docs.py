"""The documentation page: whole without the internet, and allowed to do nothing else."""

from __future__ import annotations

import re

import httpx
import pytest

from functions.api import groups
from functions.api.about import _PAGES
from functions.api.openapi import document
from local.package import contents
from local.topology import load

ELSEWHERE = re.compile(r"""(https?:)?//[a-z0-9.-]+\.[a-z]{2,}|@import|\beval\(|innerHTML|\.write\(""")


async def page(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=groups.application(path))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
        return await http.get(path)


@pytest.mark.parametrize(
    ("name", "kind"), [("docs", "text/html"), ("docs.js", "text/javascript"), ("docs.css", "text/css")]
)
async def test_is_served_under_a_policy_that_allows_its_own_files_alone(name: str, kind: str) -> None:
    answer = await page(f"/v1/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_names_nothing_from_elsewhere_and_nothing_inline() -> None:
    for file in _PAGES.iterdir():
        text = file.read_text()
        assert not ELSEWHERE.findall(text), file.name
    html = (_PAGES / "docs.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", html)
    named = set(re.findall(r'(?:href|src)="([^":,]+)"', html))
    assert named - {"openapi.json"} == {file.name for file in _PAGES.iterdir()} - {"docs.html"}


async def test_every_operation_has_a_described_tag_to_stand_under() -> None:
    answer = await page("/v1/openapi.json")
    assert answer.json() == document()
    assert answer.json()["openapi"] == "3.1.0"
    tags = {tag["name"] for tag in answer.json()["tags"]}
    assert {o["tags"][0] for methods in answer.json()["paths"].values() for o in methods.values()} == tags


def test_is_packed_with_the_function() -> None:
    packed = contents(load().functions["api"])
    assert {f"functions/api/pages/{file.name}" for file in _PAGES.iterdir()} <= set(packed)
