"""What the text of a script's files says about them; runs none of it, and needs the standard library alone.

A compiler can be made to use much memory, or to crash, by text alone: who checks text of others does so in
a process of its own (:func:`main` reads ``{path: text}`` from stdin and writes what was found to stdout).
"""

from __future__ import annotations

import ast
import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fulcrum.script.needing import NeedsError, parse

MAIN = "main.py"
_TAKEN = {*sys.stdlib_module_names, "fulcrum", "msgspec"} - {"test"}
_FOUND_ERRORS = (ValueError, RecursionError, MemoryError, OverflowError)
# Of a context, by what they need; None: nothing. A test holds this against the context itself.
CONTEXT: dict[str, str | None] = {
    "script_id": None,
    "project_id": None,
    "version": None,
    "entry": None,
    "device_id": None,
    "now": None,
    "time": None,
    "random": None,
    "params": None,
    "parameters": None,
    "device_data": "deviceData",
    "device": "device",
    "system": "system",
    "blueprint": "blueprint",
    "project": "project",
    "cache": "cache",
    "set_cache": "cache",
    "script_cache": "scriptCache",
    "set_script_cache": "scriptCache",
    "log": None,
    "error": None,
    "send_email": None,
    "send_sms": None,
    "set_device_data": None,
    "send_message": None,
    "set_timer": None,
    "cancel_timer": None,
    "publish": None,
}
# What differs from run to run, and what to use in its place.
_CLOCKS = {
    "time.time": "context.now",
    "time.time_ns": "context.now",
    "datetime.now": "context.now",
    "datetime.utcnow": "context.now",
    "datetime.today": "context.now",
    "date.today": "context.now.date()",
    "uuid.uuid1": "context.random",
    "uuid.uuid4": "context.random",
    "os.urandom": "context.random",
    "random.random": "context.random",
    "random.randint": "context.random",
    "random.choice": "context.random",
    "random.uniform": "context.random",
    "random.gauss": "context.random",
    "random.shuffle": "context.random",
    "random.sample": "context.random",
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Problem(NamedTuple):
    """Something wrong, or worth a look; ``line`` is None where no line is to blame."""

    file: str
    line: int | None
    message: str


class Checked(NamedTuple):
    """What was found. ``entries``: name → needs, where these are written as plain values.

    With ``problems`` the script cannot run; ``warnings`` are worth a look. ``imports``: modules from outside
    the standard library and the folder, with the place where they are first imported.
    """

    entries: dict[str, dict[str, bool | list[str]]]
    problems: list[Problem]
    warnings: list[Problem]
    imports: dict[str, Problem]


def check(files: Mapping[str, str]) -> Checked:
    """Check files by their paths in the script's folder; one of them is ``main.py``."""
    found = Checked({}, [], [], {})
    if MAIN not in files:
        found.problems.append(Problem(MAIN, None, "there is no main.py"))
    for path, text in files.items():
        if path.endswith(".py") and path.partition("/")[0].removesuffix(".py") in _TAKEN:
            message = "it has the name of a module of Python's own or of Fulcrum's: rename it"
            found.problems.append(Problem(path, None, message))
        if not path.endswith(".py"):
            continue
        tree = _parsed(path, text, found)
        if tree is not None:
            _imports(path, tree, set(files), found)
            _clocks(path, tree, found)
            if path == MAIN:
                _entries(tree, found)
    return found


def main() -> None:
    """Check ``{path: text}`` from stdin: ``{entries: [{name, needs}], problems, warnings, imports}``."""
    found = check(json.loads(sys.stdin.buffer.read()))
    made: dict[str, Any] = {
        "entries": [{"name": name, "needs": needs} for name, needs in found.entries.items()],
        "problems": [problem._asdict() for problem in found.problems],
        "warnings": [problem._asdict() for problem in found.warnings],
        "imports": [{"module": name, **place._asdict()} for name, place in found.imports.items()],
    }
    sys.stdout.write(json.dumps(made))


def _parsed(path: str, text: str, found: Checked) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, path)
            # What parses may still not compile, such as a `return` outside of a function.
            compile(text, path, "exec", dont_inherit=True)
            return tree
    except SyntaxError as error:
        found.problems.append(Problem(path, error.lineno, str(error.msg)[:500]))
    except _FOUND_ERRORS as error:
        found.problems.append(
            Problem(path, None, f"it cannot be compiled: {error or type(error).__name__}"[:500])
        )
    return None


def _entries(tree: ast.Module, found: Checked) -> None:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    entries = {
        node.name: node for node in functions if not node.name.startswith("_") and _takes_two(node.args)
    }
    if not entries:
        found.problems.append(
            Problem(MAIN, None, "it has no entry point: define `def run(message, context):`")
        )
    elif "run" not in entries:
        found.warnings.append(
            Problem(MAIN, None, f"it has no `run`, so that routes have to name {' or '.join(entries)}")
        )
    by_name = _module_needs(tree)
    for name, node in entries.items():
        written = _decorated(node) or _assigned(tree, name) or by_name.get(name)
        needs: dict[str, bool | list[str]] | None = {}
        if written is not None:
            needs = _needs(name, written, found)
        found.entries[name] = needs or {}
        if any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in _own_nodes(node)):
            found.problems.append(Problem(MAIN, node.lineno, f"{name} yields: an entry point returns"))
        if needs is not None:
            _context_uses(name, node, needs, found)


def _takes_two(arguments: ast.arguments) -> bool:
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    named = any(default is None for default in arguments.kw_defaults)
    return required <= 2 and not named and (len(positional) >= 2 or arguments.vararg is not None)


def _module_needs(tree: ast.Module) -> dict[str, ast.expr]:
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and _names(node.targets) == ["needs"]
            and isinstance(node.value, ast.Dict)
        ):
            return {
                key.value: value
                for key, value in zip(node.value.keys, node.value.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
    return {}


def _names(targets: list[ast.expr]) -> list[str]:
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _decorated(node: _Function) -> ast.expr | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and _dotted(decorator.func).rpartition(".")[2] == "needs":
            return decorator
    return None


def _assigned(tree: ast.Module, name: str) -> ast.expr | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [_dotted(target) for target in node.targets] == [f"{name}.needs"]:
            return node.value
    return None


def _needs(name: str, written: ast.expr, found: Checked) -> dict[str, bool | list[str]] | None:
    """Needs as written; None where only running the code would tell."""
    try:
        if isinstance(written, ast.Call):
            needs = parse([ast.literal_eval(argument) for argument in written.args])
            named = {each.arg: ast.literal_eval(each.value) for each in written.keywords}
            needs.update(parse({key: value for key, value in named.items() if value is not None}))
            return needs
        return parse(ast.literal_eval(written))
    except NeedsError as error:
        found.problems.append(Problem(MAIN, written.lineno, f"needs of {name}: {error}"))
    except (*_FOUND_ERRORS, TypeError, SyntaxError):
        found.warnings.append(
            Problem(
                MAIN, written.lineno, f"needs of {name} are computed: what they are shows when it is loaded"
            )
        )
    return None


def _context_uses(name: str, node: _Function, needs: dict[str, bool | list[str]], found: Checked) -> None:
    positional = [*node.args.posonlyargs, *node.args.args]
    if len(positional) < 2:
        return
    context = positional[1].arg
    told = set()
    for inner in ast.walk(node):
        if not (
            isinstance(inner, ast.Attribute)
            and isinstance(inner.value, ast.Name)
            and inner.value.id == context
        ):
            continue
        used = inner.attr
        if used in told:
            continue
        told.add(used)
        needed = CONTEXT.get(used)
        if used not in CONTEXT:
            message = f"{context}.{used}: a context has no such thing"
        elif needed is not None and needed not in needs:
            message = f'{context}.{used} is used, but {name} does not need it: add "{needed}" to its needs'
        else:
            continue
        found.warnings.append(Problem(MAIN, inner.lineno, message))


def _imports(path: str, tree: ast.Module, files: set[str], found: Checked) -> None:
    own = {name.partition("/")[0].removesuffix(".py") for name in files if name.endswith(".py")}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            if "/" not in path:
                found.problems.append(
                    Problem(
                        path, node.lineno, "a relative import: import the folder's modules by their names"
                    )
                )
            continue
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            if top not in own and top not in sys.stdlib_module_names and top != "fulcrum":
                message = f"{top} is neither in the standard library nor in the script's folder"
                found.imports.setdefault(top, Problem(path, node.lineno, message))


def _clocks(path: str, tree: ast.Module, found: Checked) -> None:
    told = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = _dotted(node.func)
            ending = ".".join(called.split(".")[-2:])
            if ending in _CLOCKS and called not in told:
                told.add(called)
                message = f"{called}() differs at every run, and in a replay: use {_CLOCKS[ending]}"
                found.warnings.append(Problem(path, node.lineno, message))


def _dotted(node: ast.expr) -> str:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions within it."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


if __name__ == "__main__":
    main()
