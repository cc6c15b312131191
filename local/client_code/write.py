"""The source of the client's resources: a module a tag, each with a class to call and one to await. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from local.client_code.operations import Operation, Parameter, operations
from local.client_code.table import tables
from local.client_code.types import classes

_HEAD = (
    '"""{doc}\n\n'
    "Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.\n"
    '"""\n\n'
)


def files(document: Mapping[str, Any]) -> dict[str, str]:
    """File name below ``fulcrum/client`` → source, not formatted yet."""
    found = operations(document)
    made = {"types.py": _types(document)}
    tags = []
    for tag, group in groupby(found, key=lambda operation: operation.tag):
        tags.append(tag)
        made[f"api/{tag}.py"] = _module(tag, list(group))
    made["api/__init__.py"] = _package(tags)
    return made | tables(document, found)


def _types(document: Mapping[str, Any]) -> str:
    head = _HEAD.format(doc="The objects that the API takes and answers, as typed dictionaries.")
    names = "Any, Literal, NotRequired, TypeAlias, TypedDict"
    imports = f"from __future__ import annotations\n\nfrom typing import {names}\n\n\n"
    return head + imports + "\n\n".join(classes(document["components"]["schemas"]))


def _package(tags: list[str]) -> str:
    head = _HEAD.format(doc="Every resource of the API, as attributes of the two clients.")
    imports = "".join(
        f"from fulcrum.client.api.{tag} import Async{_title(tag)}, {_title(tag)}\n" for tag in tags
    )
    body = "from fulcrum.client.send import AsyncSender, Sender\n\n\n"
    for name, sender, prefix in (("Resources", "Sender", ""), ("AsyncResources", "AsyncSender", "Async")):
        body += f'class {name}:\n    """What a client can do, by resource."""\n\n'
        body += f"    def __init__(self, sender: {sender}) -> None:\n"
        body += "".join(f"        self.{tag} = {prefix}{_title(tag)}(sender)\n" for tag in tags) + "\n\n"
    return head + "from __future__ import annotations\n\n" + imports + body


def _module(tag: str, found: list[Operation]) -> str:
    head = _HEAD.format(doc=f"Operations on ``{tag}``.")
    imports = (
        "from __future__ import annotations\n\n"
        "import builtins\n"
        "from collections.abc import AsyncIterator, Iterator\n"
        "from contextlib import AbstractAsyncContextManager, AbstractContextManager\n"
        "from typing import Any, Literal, cast\n\n"
        "import httpx\n\n"
        "from fulcrum.client import types\n"
        "from fulcrum.client.request import Request, segment\n"
        "from fulcrum.client.send import AsyncSender, Sender\n\n\n"
    )
    body = ""
    for awaited in (False, True):
        prefix = "Async" if awaited else ""
        body += f'class {prefix}{_title(tag)}:\n    """Operations on ``{tag}``."""\n\n'
        body += f"    def __init__(self, sender: {prefix}Sender) -> None:\n        self._sender = sender\n\n"
        body += "".join(textwrap.indent(_methods(operation, awaited), "    ") for operation in found)
        body += "\n"
    return head + imports + body


def _methods(operation: Operation, awaited: bool) -> str:
    made = ""
    if operation.answer is not None or not operation.streams:
        made += _call(operation, awaited)
    if operation.item is not None:
        made += _pages(operation, awaited)
    if operation.streams:
        made += _stream(operation, awaited)
    return made


def _call(operation: Operation, awaited: bool) -> str:
    answer = operation.answer or "None"
    start = "async def" if awaited else "def"
    wait = "await " if awaited else ""
    return (
        f"{start} {_name(operation)}({_signature(operation)}) -> {answer}:\n"
        f"{_doc(operation)}"
        f"    return cast({answer!r}, {wait}self._sender.send({_request(operation)}))\n\n"
    )


def _pages(operation: Operation, awaited: bool) -> str:
    start, kind = ("async def", "AsyncIterator") if awaited else ("def", "Iterator")
    wait = "await " if awaited else ""
    each = '        yield from page["items"]\n'
    if awaited:
        each = '        for item in page["items"]:\n            yield item\n'
    arguments = [p.name for p in operation.parameters if p.required]
    if operation.body is not None:
        arguments.append("body" if operation.body_required else "body=body")
    arguments += [f"{p.name}={p.name}" for p in operation.parameters if not p.required and p.name != "cursor"]
    if not any(p.name == "cursor" for p in operation.parameters):
        return ""
    return (
        f"{start} {_name(operation)}_all({_signature(operation, without='cursor')})"
        f" -> {kind}[{operation.item}]:\n"
        f'    """All pages of :meth:`{_name(operation)}`, item by item."""\n'
        "    cursor: str | None = None\n"
        "    while True:\n"
        f"        page = {wait}self.{_name(operation)}({', '.join([*arguments, 'cursor=cursor'])})\n"
        f"{each}"
        '        cursor = page.get("next")\n'
        "        if cursor is None:\n"
        "            return\n\n"
    )


def _stream(operation: Operation, awaited: bool) -> str:
    kinds = ", ".join(repr(kind) for kind in operation.streams)
    manager = "AbstractAsyncContextManager" if awaited else "AbstractContextManager"
    signature = _signature(operation, extra=f"accept: Literal[{kinds}] = {operation.streams[0]!r}")
    return (
        f"def {_name(operation)}_stream({signature}) -> {manager}[httpx.Response]:\n"
        f'    """The answer of the operation as it comes in, in one of the types {kinds}."""\n'
        f"    return self._sender.stream({_request(operation, accept='accept')})\n\n"
    )


def _name(operation: Operation) -> str:
    return f"{operation.name}_" if operation.name in ("import", "from", "del", "pass") else operation.name


def _signature(operation: Operation, without: str = "", extra: str = "") -> str:
    first = ["self", *(f"{p.name}: {p.type}" for p in operation.parameters if p.required)]
    rest = []
    if operation.body is not None:
        first += [f"body: {operation.body}"] if operation.body_required else []
        rest += [] if operation.body_required else [f"body: {_optional(operation.body)} = None"]
    if operation.body_kinds:
        kinds = ", ".join(repr(kind) for kind in operation.body_kinds)
        rest += ["content: bytes | str | None = None"]
        rest += [f"content_type: Literal[{kinds}] = {operation.body_kinds[0]!r}"]
    rest += [
        f"{p.name}: {_optional(p.type)} = None"
        for p in operation.parameters
        if not p.required and p.name != without
    ]
    rest += [extra] if extra else []
    return ", ".join([*first, *(["*", *rest] if rest else [])])


def _optional(kind: str) -> str:
    return kind if kind.split(" | ")[-1] == "None" else f"{kind} | None"


def _request(operation: Operation, accept: str = "") -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.place == "path":
            for form in (f"{{{parameter.wire}}}", f"{{{parameter.wire}:path}}"):
                path = path.replace(form, f"{{segment({parameter.name})}}")
    quoted = f'f"{path}"' if "{" in path else f'"{path}"'
    parts = [f'"{operation.method}"', quoted]
    for place, word in (("query", "query"), ("header", "headers")):
        pairs = [f'"{p.wire}": {_text(p, place)}' for p in operation.parameters if p.place == place]
        if pairs:
            parts.append(f"{word}={{{', '.join(pairs)}}}")
    if operation.body is not None:
        parts.append("body=body")
    if operation.body_kinds:
        parts.append("content=content, content_type=content_type")
    if operation.once:
        parts.append("once=True")
    if accept:
        parts.append(f"accept={accept}")
    return f"Request({', '.join(parts)})"


def _text(parameter: Parameter, place: str) -> str:
    if place == "header" and "str" not in parameter.type:
        return f"None if {parameter.name} is None else str({parameter.name})"
    return parameter.name


def _doc(operation: Operation) -> str:
    lines = textwrap.wrap(" ".join(operation.description.split()) or f"{operation.summary}.", 100)
    lines.append("")
    lines.append(f"Needs: {operation.permission or 'nothing'}.")
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    summary = operation.summary.rstrip(".")
    return textwrap.indent(f'"""{summary}.\n\n{text}\n"""\n', "    ")


def _title(tag: str) -> str:
    return "".join(word.capitalize() for word in tag.split("_"))
