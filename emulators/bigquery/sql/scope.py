"""Names and clauses that GoogleSQL refuses, or reads otherwise than SQLGlot and DuckDB would.

``check_scopes`` reads a tree in which tables have their full names and columns are not resolved yet.
``with_order_aliases`` is for a resolved and annotated tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.schema import Column
from emulators.bigquery.sql.functions import FUNCTIONS

Tables = Mapping[tuple[str, str, str], tuple[Column, ...]]
# The window functions that mean nothing without an order, which BigQuery demands.
_ORDERED = {"RANK", "DENSE_RANK", "PERCENT_RANK", "CUME_DIST", "NTILE", "LAG", "LEAD"}
_ORDERED |= {"FIRST_VALUE", "LAST_VALUE", "NTH_VALUE"}
_AFTER_SELECT = ("group", "having", "qualify", "order")


def check_scopes(tree: exp.Expr, tables: Tables) -> None:
    """Refuse what GoogleSQL does not take, where the parser or DuckDB would."""
    for select in tree.find_all(exp.Select):
        _check_from(select)
        _check_hidden_sources(select)
        _check_ordinals(select, select.expressions, "group", "GROUP BY")
        _check_ordinals(select, select.expressions, "order", "ORDER BY")
        _check_stars(select, tables)
        _check_unnests(select, tables)
    for union in tree.find_all(exp.SetOperation):
        _check_union(union, tables)
    for window in tree.find_all(exp.Window):
        _check_window(window)
    for join in tree.find_all(exp.Join):
        if join.args.get("method"):
            raise unsupported_sql(f"{join.args['method']} JOIN")
        _check_condition(join)
    for alias in tree.find_all(exp.TableAlias):
        if alias.columns and not isinstance(alias.parent, exp.Unnest):
            raise unsupported_sql("A list of column names after an alias")


def _check_condition(join: exp.Join) -> None:
    """An inner join says on what. A comma and CROSS JOIN say by their kind that there is nothing to say."""
    if join.args.get("kind") not in (None, "", "INNER") or join.args.get("side"):
        return
    if not (join.args.get("on") or join.args.get("using") or isinstance(join.this, exp.Unnest)):
        raise invalid_query("INNER JOIN must have an immediately following ON or USING clause")


def sources_of(select: exp.Select) -> list[exp.Expr]:
    """What FROM names, joins included."""
    from_ = select.args.get("from_")
    joined = [join.this for join in select.args.get("joins") or []]
    return [*([from_.this] if from_ else []), *joined]


def _own(select: exp.Select, clause: exp.Expr | None) -> Iterator[exp.Column]:
    """The columns of a clause that are not inside a subquery of it."""
    for column in clause.find_all(exp.Column) if clause is not None else ():
        if column.find_ancestor(exp.Select) is select:
            yield column


def _check_from(select: exp.Select) -> None:
    if select.args.get("from_") is not None:
        return
    for key in ("where", "group", "having", "qualify", "order"):
        if select.args.get(key):
            raise invalid_query(f"Query without FROM clause cannot have a {key.upper()} clause")
    for call in select.find_all(exp.Anonymous):
        function = FUNCTIONS.get(call.name.upper())
        if function and function.aggregate and call.find_ancestor(exp.Select) is select:
            raise invalid_query("Query without FROM clause cannot use aggregation")


def _check_hidden_sources(select: exp.Select) -> None:
    """After the list is known, its aliases hide tables of the same name: ``t.x`` is then a field."""
    aliases = {item.alias.lower() for item in select.expressions if isinstance(item, exp.Alias)}
    hidden = aliases & {source.alias_or_name.lower() for source in sources_of(select)}
    for column in (found for key in _AFTER_SELECT for found in _own(select, select.args.get(key))):
        if len(column.parts) > 1 and column.parts[0].name.lower() in hidden:
            raise invalid_query(
                f"Cannot access field {column.parts[1].name} on {column.parts[0].name}: "
                "it is an alias of the SELECT list here, which hides the table of that name"
            )


def _check_ordinals(node: exp.Expr, items: list[exp.Expr], key: str, clause: str) -> None:
    listed = node.args.get(key)
    starred = any(item.is_star for item in items)
    for item in listed.expressions if listed is not None else ():
        inner = item.this if isinstance(item, exp.Ordered) else item
        if not isinstance(inner, exp.Literal) or inner.is_string:
            continue
        if not inner.this.isdigit() or int(inner.this) < 1 or (not starred and int(inner.this) > len(items)):
            raise invalid_query(f"{clause} is out of SELECT column number range: {inner.this}")


def _check_stars(select: exp.Select, tables: Tables) -> None:
    for item in select.expressions:
        if not item.is_star:
            continue
        star = item.this if isinstance(item, exp.Column) else item
        of = item.table.lower() if isinstance(item, exp.Column) else None
        for source in sources_of(select):
            if isinstance(source, exp.Unnest) and not _unnest_names(source):
                raise unsupported_sql("* over UNNEST without an alias")
        known = {
            name.lower()
            for source in sources_of(select)
            if of is None or source.alias_or_name.lower() == of
            for name in output_names(source, tables)
        }
        named = [(column.name, "EXCEPT") for column in star.args.get("except_") or []]
        named += [(column.alias, "REPLACE") for column in star.args.get("replace") or []]
        for name, clause in named:
            if name.lower() not in known:
                raise invalid_query(f"Column {name} in SELECT * {clause} list does not exist")


def _check_unnests(select: exp.Select, tables: Tables) -> None:
    """An element that is named like a column of another source cannot be told from it."""
    sources = sources_of(select)
    for unnest in (source for source in sources if isinstance(source, exp.Unnest)):
        names = {name.lower() for name in _unnest_names(unnest)}
        others = {
            name.lower()
            for source in sources
            if source is not unnest
            for name in output_names(source, tables)
        }
        for column in _own(select, select):
            name = column.name.lower()
            if not column.table and name in names & others:
                raise invalid_query(f"Column name {column.name} is ambiguous")


def _unnest_names(unnest: exp.Unnest) -> list[str]:
    alias, offset = unnest.args.get("alias"), unnest.args.get("offset")
    names = [column.name for column in alias.columns] if alias else []
    return names + ([offset.name] if names and isinstance(offset, exp.Identifier) else [])


def output_names(source: exp.Expr, tables: Tables) -> Iterator[str]:
    """The names of the columns that a source of FROM, or a query, gives."""
    if isinstance(source, exp.Unnest):
        yield from _unnest_names(source)
    elif isinstance(source, exp.Table):
        if source.args.get("db"):
            known = tables.get((source.catalog, source.db, source.name), ())
            yield from (column.name for column in known)
        elif (cte := visible_ctes(source).get(source.name.lower())) is not None:
            yield from output_names(cte.this, tables)
    elif isinstance(source, (exp.Subquery, exp.SetOperation)):
        yield from output_names(source.this, tables)
    elif isinstance(source, exp.Select):
        for item in source.expressions:
            if not item.is_star:
                yield item.alias_or_name
                continue
            of = item.table.lower() if isinstance(item, exp.Column) else None
            star = item.this if isinstance(item, exp.Column) else item
            dropped = {column.name.lower() for column in star.args.get("except_") or []}
            for inner in sources_of(source):
                if of is None or inner.alias_or_name.lower() == of:
                    yield from (n for n in output_names(inner, tables) if n.lower() not in dropped)


def visible_ctes(node: exp.Expr) -> dict[str, exp.CTE]:
    """The WITH entries that a node may name, by name in lower case: of its own WITH, only earlier ones."""
    names: dict[str, exp.CTE] = {}
    inside: exp.CTE | None = None
    parent: exp.Expr | None = node
    while parent is not None:
        if isinstance(parent, exp.CTE):
            inside = parent
        with_ = parent.args.get("with_")
        if with_ is not None:
            if with_.args.get("recursive"):
                raise unsupported_sql("WITH RECURSIVE")
            for cte in with_.expressions:
                if cte is inside:
                    break
                names.setdefault(cte.alias.lower(), cte)
        parent = parent.parent
    return names


def _check_union(union: exp.SetOperation, tables: Tables) -> None:
    if isinstance(union, (exp.Except, exp.Intersect)) and not union.args.get("distinct"):
        raise unsupported_sql(f"{type(union).__name__.upper()} ALL")
    names = list(output_names(union, tables))
    _check_ordinals(union, [exp.column(name) for name in names], "order", "ORDER BY")
    known = {name.lower() for name in names}
    order = union.args.get("order")
    for column in order.find_all(exp.Column) if order is not None else ():
        if column.table or column.name.lower() not in known:
            raise invalid_query(f"Unrecognized name: {column.sql('bigquery')} in ORDER BY of a set operation")


def _check_window(window: exp.Window) -> None:
    call = window.this
    while isinstance(call, (exp.IgnoreNulls, exp.RespectNulls)):
        call = call.this
    if not isinstance(call, exp.Anonymous):
        return
    ordered = _is_ordered(window)
    if call.name.upper() in _ORDERED and not ordered:
        raise invalid_query(f"Window ORDER BY is required for analytic function {call.name.upper()}")
    if ordered and any(isinstance(argument, exp.Distinct) for argument in call.expressions):
        raise invalid_query("Window ORDER BY is not allowed if DISTINCT is specified")


def _is_ordered(window: exp.Window) -> bool:
    if window.args.get("order") is not None:
        return True
    base, select = window.args.get("alias"), window.find_ancestor(exp.Select)
    for named in (select.args.get("windows") or []) if base is not None and select is not None else ():
        if base is not None and named.name.lower() == base.name.lower() and named is not window:
            return _is_ordered(named)
    return False


def with_order_aliases(tree: exp.Expr) -> exp.Expr:
    """Put the list's expressions for its aliases inside expressions of ORDER BY.

    DuckDB would take such a name for a column of FROM; in GoogleSQL the alias hides the column.
    """
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        listed = {item.alias: item.this for item in select.expressions if isinstance(item, exp.Alias)}
        for item in order.expressions if order is not None else ():
            if select.args.get("distinct") and not _is_listed(item.this, listed):
                raise invalid_query("ORDER BY after SELECT DISTINCT can only name what is selected")
            if isinstance(item.this, exp.Column) and not item.this.table:
                continue
            for column in list(_own(select, item)):
                if not column.table and column.name in listed:
                    made = exp.Paren(this=listed[column.name].copy())
                    made.type = listed[column.name].type
                    column.replace(made)
    return tree


def _is_listed(node: exp.Expr, listed: Mapping[str, exp.Expr]) -> bool:
    if isinstance(node, exp.Column) and not node.table:
        return node.name in listed
    return any(node == item for item in listed.values())
