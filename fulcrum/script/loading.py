"""Loading a customer's code: ``main.py`` of a folder, whose other modules it may import by their names.

Loading runs the code. Several versions may be loaded in one process: the modules of each are kept apart, and
those of the one that runs are in their place (:meth:`Code.activate`).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from fulcrum.script import wire
from fulcrum.script.needing import Needs, NeedsError, parse
from fulcrum.script.tracebacks import script_traceback

MAIN = "main"
# Modules that others rely on; nobody imports `test`.
TAKEN = frozenset({*sys.stdlib_module_names, "fulcrum", "msgspec"} - {"test"})


class LoadError(Exception):
    """Code that cannot be loaded: what is wrong, and what to do.

    ``line``: in ``file``; 0 where no line is to blame.
    """

    def __init__(self, message: str, *, file: str = "main.py", line: int = 0, traceback: str = "") -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.message = message
        self.file = file
        self.line = line
        self.traceback = traceback

    def failure(self) -> wire.Failure:
        """The failure of an event that should have been run by this code."""
        return wire.Failure(kind="load", type="LoadError", message=str(self), traceback=self.traceback)


class Point(NamedTuple):
    """An entry point, ready to be called. ``required``: what must be there for it to be run."""

    function: Callable[[Any, Any], Any]
    entry: wire.Entry
    given: frozenset[str]
    required: tuple[tuple[str, bool | list[str]], ...]


class Code:
    """Loaded code."""

    def __init__(self, folder: Path, version: int) -> None:
        self.folder = folder
        self.version = version
        self.points: dict[str, Point] = {}
        self.names = _modules(folder)
        self._loaded: dict[str, ModuleType] = {}

    @property
    def entries(self) -> dict[str, wire.Entry]:
        """The entry points by name."""
        return {name: point.entry for name, point in self.points.items()}

    def function(self, name: str) -> Callable[[Any, Any], Any]:
        """An entry point's function; KeyError where there is none."""
        return self.points[name].function

    def activate(self) -> None:
        """Have this code's modules, and no other's, found by their names."""
        global _active
        if _active is self:
            return
        if _active is not None:
            _active._deactivate()
        # What has the names of this code's modules and is none of them comes back afterwards.
        self._hidden = {name: sys.modules[name] for name in self.names if name in sys.modules}
        for name in self.names:
            sys.modules.pop(name, None)
        sys.modules.update(self._loaded)
        sys.path.insert(0, str(self.folder))
        _active = self

    def _deactivate(self) -> None:
        global _active
        for name in self.names:
            module = sys.modules.pop(name, None)
            if module is not None:
                self._loaded[name] = module
        sys.modules.update(self._hidden)
        if str(self.folder) in sys.path:
            sys.path.remove(str(self.folder))
        _active = None


_active: Code | None = None


def active() -> Code | None:
    """The code whose modules are in their place now."""
    return _active


def deactivate() -> None:
    """Have no code's modules found by their names any more."""
    if _active is not None:
        _active._deactivate()


def load(folder: Path, version: int = 0) -> Code:
    """Load the code of a folder; LoadError where that fails or it has no entry point."""
    folder = folder.resolve()
    path = folder / "main.py"
    try:
        source = path.read_bytes()
    except OSError as error:
        raise LoadError(f"there is no main.py to read in {folder.name}: {error.strerror}") from None
    code = Code(folder, version)
    for name in sorted(code.names & TAKEN):
        raise LoadError("it has the name of a module of Python's own or of Fulcrum's: rename it", file=name)
    code.activate()
    module = ModuleType(MAIN)
    module.__file__ = str(path)
    sys.modules[MAIN] = module
    wrote, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        # Compiled here, not by an import: that would go by a cached file where times and sizes are equal.
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102  # what this is for
        code.points.update(_points(module))
    except LoadError:
        deactivate()
        raise
    except KeyboardInterrupt:
        deactivate()
        raise
    except BaseException as error:
        deactivate()
        raise _load_error(error, folder) from error
    finally:
        sys.dont_write_bytecode = wrote
    return code


def _load_error(error: BaseException, folder: Path) -> LoadError:
    shown = script_traceback(error, folder)
    if isinstance(error, SyntaxError):
        file = Path(error.filename or "main.py").name
        return LoadError(f"{error.msg}", file=file, line=error.lineno or 0, traceback=shown)
    file, line = _place(error, folder)
    if isinstance(error, ModuleNotFoundError):
        message = (
            f"there is no module {error.name!r}: add its package, pinned, to the script's requirements, "
            "or its file to the script's folder"
        )
    elif isinstance(error, SystemExit):
        message = f"the file ends the process when it is loaded ({error!r}): leave that out"
    else:
        message = f"{type(error).__name__} when the file is loaded: {error}"
    return LoadError(message, file=file, line=line, traceback=shown)


def _place(error: BaseException, folder: Path) -> tuple[str, int]:
    found = ("main.py", 0)
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(folder):
            found = (str(path.relative_to(folder)), trace.tb_lineno)
        trace = trace.tb_next
    return found


def _modules(folder: Path) -> frozenset[str]:
    """The names of all modules of a folder."""
    names = {MAIN}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if parts and all(part.isidentifier() for part in parts):
            # A folder without __init__.py is a package as well.
            names.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return frozenset(names)


def _points(module: ModuleType) -> dict[str, Point]:
    named = getattr(module, "needs", None)
    by_name: Mapping[str, Any] = named if isinstance(named, Mapping) else {}
    found = {}
    for name, value in vars(module).items():
        if name.startswith("_") or not inspect.isfunction(value) or value.__module__ != MAIN:
            continue
        if takes_two(value):
            line = inspect.unwrap(value).__code__.co_firstlineno
            found[name] = _point(name, value, getattr(value, "needs", by_name.get(name, {})), line)
    if not found:
        raise LoadError("main.py has no entry point: define `def run(message, context):`")
    for name in by_name:
        if name not in found:
            raise LoadError(f"needs names {name!r}, which is no entry point of main.py")
    return found


def takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with a message and a context."""
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    return True


def _point(name: str, function: Callable[[Any, Any], Any], needed: Any, line: int) -> Point:
    try:
        needs: Needs = parse(needed)
    except NeedsError as error:
        raise LoadError(f"needs of {name!r}: {error}", line=line) from None
    # Without names, these are always there.
    required = tuple(
        (key, value)
        for key, value in needs.items()
        if value is not True or key not in ("params", "scriptCache")
    )
    return Point(function, wire.Entry(name=name, needs=needs), frozenset(needs), required)
