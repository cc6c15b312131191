"""The query language of history and events: checked, then compiled to SQL with parameters. Pure.

No text of a caller's reaches the SQL: names are looked up in lists of ours, paths, values and formats stand
in parameters, and the result's columns are called ``c0``, ``c1`` and so on, whatever their aliases.
"""

from shared.history_query.columns import Model
from shared.history_query.compiler import Compiled, Output, compiled
from shared.history_query.expr import Parameter
from shared.history_query.request import Query, checked, from_parameters
from shared.history_query.rows import item, values
from shared.history_query.source import MAX_IDS, Scope

__all__ = [
    "MAX_IDS",
    "Compiled",
    "Model",
    "Output",
    "Parameter",
    "Query",
    "Scope",
    "checked",
    "compiled",
    "from_parameters",
    "item",
    "values",
]
