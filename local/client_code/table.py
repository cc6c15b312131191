"""The source of the table of operations that the command is made from: a module a resource. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from local.client_code.operations import Operation, snake

_HEAD = (
    '"""{doc}\n\n'
    "Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.\n"
    '"""\n\n'
    "from __future__ import annotations\n\n"
)


def tables(document: Mapping[str, Any], found: list[Operation]) -> dict[str, str]:
    """File name below ``fulcrum/client`` → source, not formatted yet."""
    described = {snake(tag["name"]): tag["description"] for tag in document.get("tags", ())}
    made, names = {}, []
    for resource, group in groupby(found, key=lambda operation: operation.tag):
        names.append(resource)
        head = _HEAD.format(doc=f"The operations on ``{resource}``, as the command needs them.")
        lines = ",\n".join(_operation(operation) for operation in group)
        head += "from fulcrum.client.operation import Field, Operation, Parameter\n\n"
        made[f"operations/{resource}.py"] = f"{head}OPERATIONS = (\n{lines},\n)\n"
    lines = "".join(f"    {name!r}: {described.get(name, '')!r},\n" for name in names)
    head = _HEAD.format(doc="The resources that have operations, and what each is.")
    made["operations/__init__.py"] = f"{head}RESOURCES: dict[str, str] = {{\n{lines}}}\n"
    return made


def _operation(operation: Operation) -> str:
    parameters = "".join(
        f"Parameter({p.wire!r}, {p.place!r}, {p.kind!r}, {p.required}, {p.description!r}, {p.choices!r}),"
        for p in operation.parameters
    )
    fields = "".join(
        f"Field({f.wire!r}, {f.kind!r}, {f.required}, {f.description!r}, {f.choices!r}),"
        for f in operation.fields
    )
    text = " ".join(operation.description.split())
    return (
        f"Operation({operation.tag!r}, {operation.name!r}, {operation.method!r}, {operation.path!r},\n"
        f"    summary={operation.summary.rstrip('.')!r}, description={text!r},\n"
        f"    permission={operation.permission!r},\n"
        f"    parameters=({parameters}),\n    body={operation.style!r}, "
        f"body_required={operation.body_required},\n    fields=({fields}),\n"
        f"    body_kinds={operation.body_kinds!r}, paged={_paged(operation)},\n"
        f"    streams={operation.streams!r},\n"
        f"    answers_json={operation.answer is not None}, secret={operation.secret}, once={operation.once})"
    )


def _paged(operation: Operation) -> bool:
    return any(p.wire == "cursor" for p in operation.parameters) or "cursor" in {
        field.wire for field in operation.fields
    }
