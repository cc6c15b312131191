"""Templates of mail and text messages: Jinja2's language in its sandbox, with what it says when it fails.

A name that the context has not is an error, which says the name and the line; ``{{ name|default("") }}`` and
``{% if name is defined %}`` do without it. In HTML what is filled in is escaped. Nothing is loaded from
elsewhere: no include, import or extends. Beside the filters of Jinja2 there is ``datetime``, as in
``{{ time|datetime }}`` or ``{{ time|datetime("%d.%m. %H:%M", "Europe/Oslo") }}``.

A template is not trusted, and a sandbox does not bound the time and memory that it takes: what is here is run
by ``shared.template_process`` alone, in a process that may be ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.errors import Rejected

# Of what a template comes to, in bytes.
MAX_OUTPUT = 400_000
_MAX_RANGE = 10_000
_MAX_MESSAGE = 500
_FILE = "<template>"
_ELSEWHERE = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class _Missing(jinja2.StrictUndefined):
    """A name that the context has not: whatever is done with it says so."""

    @property
    def _undefined_message(self) -> str:
        hint = self._undefined_hint
        if hint:
            return str(hint)
        if self._undefined_obj is jinja2.utils.missing:
            return f"the context has no {self._undefined_name!r}"
        return f"there is no {self._undefined_name!r} in what is named before it"

    __slots__ = ()


class _Environment(ImmutableSandboxedEnvironment):
    # A short text could ask for a number that fills all memory.
    intercepted_binops = frozenset({"**"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        # What devices send may be called items or values: a context has data alone, and no methods before it.
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise jinja2.exceptions.SecurityError(f"a template has no {operator}")


def _range(*given: int) -> range:
    """Numbers to walk through; SecurityError for more than 10,000."""
    numbers = range(*given)
    if len(numbers) > _MAX_RANGE:
        raise jinja2.exceptions.SecurityError(f"range gives more than {_MAX_RANGE:,} numbers")
    return numbers


def _datetime(value: Any, format: str = "%Y-%m-%d %H:%M", timezone: str = "UTC") -> str:
    """An instant, in epoch ms as events have it, as people read it. ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"datetime takes epoch milliseconds, and not {type(value).__name__}")
    try:
        return datetime.fromtimestamp(value / 1000, ZoneInfo(timezone)).strftime(format)
    except (OverflowError, OSError, ZoneInfoNotFoundError):
        raise ValueError(f"there is no such instant, or no time zone {timezone!r}") from None


@cache
def _environment(html: bool) -> _Environment:
    made = _Environment(
        autoescape=html,
        undefined=_Missing,
        finalize=lambda value: "" if value is None else value,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=0,
    )
    made.globals.pop("lipsum")
    made.globals["range"] = _range
    made.filters["datetime"] = _datetime
    return made


def names(source: str, html: bool = False) -> list[str]:
    """The names that a template takes from its context, sorted. Rejected (``template.invalid``) for one that
    cannot be filled whatever the context."""
    tree, _ = _parsed(source, html)
    return sorted(meta.find_undeclared_variables(tree) - _environment(html).globals.keys())


def fill(source: str, context: Mapping[str, Any], html: bool = False) -> str:
    """A template filled from a context. Rejected (``template.invalid``): the message begins with the line."""
    template = _parsed(source, html)[1]
    try:
        return "".join(_bounded(template.generate(context)))
    except (Rejected, MemoryError):
        raise
    except RecursionError:
        raise _invalid(None, "it calls itself too often") from None
    except Exception as error:
        # Whatever a foreign text does wrong: Jinja2 passes on what Python raises.
        raise _invalid(_line(error), _said(error)) from None


def _parsed(source: str, html: bool) -> tuple[nodes.Template, jinja2.Template]:
    environment = _environment(html)
    try:
        tree = environment.parse(source)
        for node in tree.find_all(_ELSEWHERE):
            raise _invalid(node.lineno, "a template stands alone: it has no include, import or extends")
        template = environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise _invalid(error.lineno, error.message or "it cannot be read") from None
    except RecursionError:
        raise _invalid(None, "it is nested too deeply") from None
    except (SyntaxError, ValueError, OverflowError) as error:
        # What Jinja2 takes and Python does not: a block that stands in too many others, a digit too many.
        raise _invalid(None, f"it cannot be compiled: {error}") from None
    return tree, template


def _bounded(parts: Iterator[str]) -> Iterator[str]:
    size = 0
    for part in parts:
        # Half of a surrogate pair, which a template can make, is no text.
        size += len(part.encode())
        if size > MAX_OUTPUT:
            raise _invalid(None, f"it comes to more than {MAX_OUTPUT:,} bytes")
        yield part


def _line(error: BaseException) -> int | None:
    """The template's line at which something was raised: Jinja2 puts it into the traceback."""
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == _FILE:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _invalid(line: int | None, message: str) -> Rejected:
    place = "" if line is None else f"line {line}: "
    # What is told of a template may hold what it is told of: half of a surrogate pair, say.
    said = message[:_MAX_MESSAGE].encode("utf-8", "replace").decode()
    return Rejected("template.invalid", place + said)
