"""The functions that a query may name. Each turns checked arguments into SQL of our own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.history_query.casts import converted
from shared.history_query.expr import Expr, Parameters, Type, built
from shared.history_query.formats import formatted, parsed
from shared.history_query.refusal import refusal, shown

MAX_BUCKET_MS = 366 * 86_400_000
DEFAULT_BUCKET_MS = 900_000
_MAX_ARGUMENTS = 50


@dataclass(frozen=True)
class Call:
    """One call while it is built: its arguments and where it stands in the query."""

    name: str
    args: Sequence[Expr]
    parameters: Parameters
    place: str

    def arg(self, index: int, type_: Type) -> Expr:
        """An argument as a value of a type."""
        return converted(self.args[index], type_, self.at(index))

    def at(self, index: int) -> str:
        """The place of an argument."""
        return f"{self.place}.args[{index}]"

    def numbers(self) -> list[Expr]:
        """All arguments as numbers; a text that is written out is none."""
        for index, argument in enumerate(self.args):
            if isinstance(argument.literal, str):
                problem = f"{self.name} computes with numbers, not with the text {shown(argument.literal)}"
                raise refusal(self.at(index), problem, "Write a number without quotation marks.")
        return [self.arg(index, "FLOAT64") for index in range(len(self.args))]

    def whole(self, index: int, least: int, most: int) -> str:
        """An argument that must be written out: a whole number within bounds, as a parameter."""
        value = self.args[index].literal
        if type(value) is not int or not least <= value <= most:
            advice = f"Write a whole number from {least} to {most}."
            raise refusal(self.at(index), f"{shown(value)} cannot be taken", advice)
        return self.parameters.add(value, "INT64")

    def text(self, index: int) -> str:
        """An argument that must be written out: a text."""
        value = self.args[index].literal
        if not isinstance(value, str):
            raise refusal(self.at(index), "a format is expected", "Write a text of tokens such as @YEAR().")
        return value


Build = Callable[[Call], Expr]


@dataclass(frozen=True)
class Function:
    """A function: how many arguments it takes, and what it makes of them."""

    least: int
    most: int
    build: Build

    def __call__(self, call: Call) -> Expr:
        """The expression of a call; refused where the number of arguments is wrong."""
        if not self.least <= len(call.args) <= self.most:
            wanted = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
            problem = f"{call.name} takes {wanted} arguments, not {len(call.args)}"
            raise refusal(f"{call.place}.args", problem, "See the list of functions.")
        return self.build(call)


def _arithmetic(name: str) -> Build:
    def build(call: Call) -> Expr:
        first, *others = call.numbers()
        sql = first.sql
        for other in others:
            sql = f"{name}({sql}, {other.sql})"
        return built(sql, "FLOAT64", *call.args)

    return build


def _bucket(call: Call) -> Expr:
    length = call.whole(0, 1, MAX_BUCKET_MS)
    time = call.arg(1, "TIMESTAMP")
    ms = f"UNIX_MILLIS({time.sql})"
    start = f"TIMESTAMP_MILLIS({ms} - MOD(MOD({ms}, {length}) + {length}, {length}))"
    return built(start, "TIMESTAMP", time)


def _date_format(call: Call) -> Expr:
    return formatted(call.arg(0, "TIMESTAMP"), call.text(1), call.parameters, call.at(1))


def _str_to_date(call: Call) -> Expr:
    return parsed(call.arg(0, "STRING"), call.text(1), call.parameters, call.at(1))


def _unix_millis(call: Call) -> Expr:
    time = call.arg(0, "TIMESTAMP")
    return built(f"UNIX_MILLIS({time.sql})", "INT64", time)


def _of_number(name: str) -> Build:
    def build(call: Call) -> Expr:
        (value,) = call.numbers()
        return built(f"{name}({value.sql})", "FLOAT64", value)

    return build


def _coalesce(call: Call) -> Expr:
    to: Type = next((argument.type for argument in call.args if argument.type != "JSON"), "JSON")
    parts = [call.arg(index, to) for index in range(len(call.args))]
    return built(f"COALESCE({', '.join(part.sql for part in parts)})", to, *parts)


def _concat(call: Call) -> Expr:
    parts = [call.arg(index, "STRING") for index in range(len(call.args))]
    return built(f"CONCAT({', '.join(part.sql for part in parts)})", "STRING", *parts)


SCALARS = {
    "+": Function(2, _MAX_ARGUMENTS, _arithmetic("SAFE_ADD")),
    "-": Function(2, _MAX_ARGUMENTS, _arithmetic("SAFE_SUBTRACT")),
    "*": Function(2, _MAX_ARGUMENTS, _arithmetic("SAFE_MULTIPLY")),
    "/": Function(2, _MAX_ARGUMENTS, _arithmetic("SAFE_DIVIDE")),
    "BUCKET_TIME": Function(2, 2, _bucket),
    "DATE_FORMAT": Function(2, 2, _date_format),
    "STR_TO_DATE": Function(2, 2, _str_to_date),
    "UNIX_MILLIS": Function(1, 1, _unix_millis),
    "ABS": Function(1, 1, _of_number("ABS")),
    "ROUND": Function(1, 1, _of_number("ROUND")),
    "FLOOR": Function(1, 1, _of_number("FLOOR")),
    "CEIL": Function(1, 1, _of_number("CEIL")),
    "COALESCE": Function(1, _MAX_ARGUMENTS, _coalesce),
    "CONCAT": Function(1, _MAX_ARGUMENTS, _concat),
}
