"""GoogleSQL as SQLGlot parses it here: every function stays a call by its own name.

SQLGlot would map functions onto its canonical ones, with meanings that are not always BigQuery's. So
the parser knows only the forms with a grammar of their own, and ``functions`` says what the rest mean.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.parsers.bigquery import BigQueryParser

from emulators.bigquery.sql.functions import FUNCTIONS
from emulators.bigquery.sql.types import data_type

_GRAMMAR = ("CAST", "SAFE_CAST", "EXTRACT", "ARRAY")


class GoogleSql(BigQuery):
    """The dialect; see the module. Names are left as they are written: ``prepare`` knows their case."""

    def normalize_identifier(self, expression: Any) -> Any:
        """The same identifier."""
        return expression

    class Parser(BigQueryParser):
        """BigQuery's parser without canonical functions."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parse for name, parse in BigQueryParser.FUNCTION_PARSERS.items() if name in _GRAMMAR
        }


# The macros that constants are made of before types are told.
_CONSTANTS = {"bq_micros": "TIMESTAMP", "bq_days": "DATE", "from_base64": "BYTES"}


def _annotate_call(annotator: Any, call: exp.Expr) -> exp.Expr:
    if call.name in _CONSTANTS:
        annotator._set_type(call, data_type(_CONSTANTS[call.name]))
        return call
    known = FUNCTIONS.get(call.name.upper())
    result = known.type_of(call) if known else None
    annotator._set_type(call, result or exp.DType.UNKNOWN)
    return call


def _annotate_extract(annotator: Any, extract: exp.Expr) -> exp.Expr:
    annotator._set_type(extract, data_type("DATE" if extract.name.upper() == "DATE" else "INT64"))
    return extract


def _annotate_dot(annotator: Any, dot: exp.Expr) -> exp.Expr:
    base = dot.this
    is_json = base.type is not None and base.type.this == exp.DType.JSON
    annotator._set_type(dot, data_type("JSON") if is_json else exp.DType.UNKNOWN)
    return dot


def _annotate_inner(annotator: Any, node: exp.Expr) -> exp.Expr:
    inner = node.this if node.this is not None else next(iter(node.expressions), None)
    annotator._set_type(node, (inner.type if inner is not None else None) or exp.DType.UNKNOWN)
    return node


def _annotate_bracket(annotator: Any, bracket: exp.Expr) -> exp.Expr:
    base = bracket.this.type
    result: Any = exp.DType.UNKNOWN
    if base is not None and base.this == exp.DType.JSON:
        result = data_type("JSON")
    elif base is not None and base.this == exp.DType.ARRAY and base.expressions:
        result = base.expressions[0]
    annotator._set_type(bracket, result)
    return bracket


_WRAPPERS = (
    *(exp.SafeFunc, exp.Distinct, exp.Order, exp.Limit, exp.IgnoreNulls, exp.RespectNulls, exp.HavingMax),
)
METADATA: dict[Any, Any] = {
    **BigQuery.EXPRESSION_METADATA,
    exp.Anonymous: {"annotator": _annotate_call},
    exp.Extract: {"annotator": _annotate_extract},
    exp.Dot: {"annotator": _annotate_dot},
    exp.Bracket: {"annotator": _annotate_bracket},
    **{wrapper: {"annotator": _annotate_inner} for wrapper in _WRAPPERS},
}
