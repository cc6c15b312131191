"""What holds the code together: who imports whom, who reads the environment, what every function has."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.processes import ROOT
from local.topology import load

TOPOLOGY = load()
FUNCTIONS = sorted(TOPOLOGY.functions)
OWN = ("bench", "demo", "emulators", "fulcrum", "functions", "local", "shared", "tests")
# What every function brings along besides its own.
COMMON = ("shared", "fulcrum.core")
# Never loaded before a function listens: each costs more than all the rest of the start.
HEAVY = ("aiohttp", "cryptography", "google.api_core", "google.auth", "google.protobuf", "grpc", "requests")
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)$")


def sources(*folders: str) -> list[Path]:
    """The Python files below folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    """A parsed file."""
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; for ``from a import b`` both ``a`` and ``a.b``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_common(module: str, brought: tuple[str, ...] = ()) -> bool:
    """Whether a module is one that every function brings along, or one of ``brought``'s folders."""
    folders = (*COMMON, *(folder.replace("/", ".") for folder in brought))
    return module == "fulcrum" or any((module + ".").startswith(f"{common}.") for common in folders)


def shared_closure(paths: list[Path], brought: tuple[str, ...] = ()) -> set[Path]:
    """Files that a function brings along and that these files use, directly or not."""
    found: set[Path] = set()
    waiting = list(paths)
    while waiting:
        for module in imports(waiting.pop()):
            stem = ROOT / module.replace(".", "/")
            for path in (stem.with_suffix(".py"), stem / "__init__.py"):
                if is_common(module, brought) and path.is_file() and path not in found:
                    found.add(path)
                    waiting.append(path)
    return found


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def module_files() -> dict[str, str]:
    """Importable module → distribution, for all that is installed."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        for file in distribution.files or ():
            parts = file.parts
            if file.suffix not in (".py", ".so") or ".." in parts:
                continue
            stem = parts[-1].split(".")[0]
            module = ".".join(parts[:-1] if stem == "__init__" else (*parts[:-1], stem))
            found[module] = normal(distribution.metadata["Name"])
    return found


def distribution_of(module: str) -> str | None:
    """The distribution that an imported name comes from; None if no installed module has that name."""
    while module:
        if module in module_files():
            return module_files()[module]
        module = module.rpartition(".")[0]
    return None


def pins(path: Path) -> dict[str, str]:
    """Distribution → version of a requirements file, which must pin each exactly."""
    found = {}
    for line in path.read_text().splitlines():
        text = line.split("#")[0].strip()
        if not text:
            continue
        match = _PIN.match(text)
        assert match, f"{path}: {text!r} is no exact pin: write name==version"
        found[normal(match["name"])] = match["version"]
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_imports_its_own_shared_and_what_it_pins(name: str) -> None:
    own, brought = sources(f"functions/{name}"), TOPOLOGY.functions[name].brings
    pinned = pins(ROOT / "functions" / name / "requirements.txt")
    for path in [*own, *shared_closure(own, brought)]:
        for module in imports(path):
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names or is_common(module, brought) or module == "functions":
                continue
            if top == "functions":
                assert (module + ".").startswith(f"functions.{name}."), f"{path} imports {module}"
                continue
            assert top not in OWN, f"{path} imports {module}"
            distribution = distribution_of(module)
            assert distribution, f"{path} imports {module}, which is not installed"
            assert distribution in pinned, f"{path} imports {module}: pin {distribution} for {name}"


def test_shared_imports_no_function() -> None:
    # Whoever uses a module of shared that needs scripts brings them along: see the test of each function.
    for path in sources("shared"):
        strange = [
            module
            for module in imports(path)
            if module.partition(".")[0] in OWN
            and not is_common(module, ("fulcrum/script", "fulcrum/simulation"))
        ]
        assert not strange, f"{path} imports {strange}"


def test_what_an_event_means_stands_alone() -> None:
    for path in sources("fulcrum/core"):
        strange = [
            module
            for module in imports(path)
            if module.partition(".")[0] in OWN and not module.startswith("fulcrum.core")
        ]
        assert not strange, f"{path} imports {strange}"


def test_emulators_import_no_function_and_no_runner() -> None:
    for path in sources("emulators"):
        strange = [
            module
            for module in imports(path)
            if module.partition(".")[0] in set(OWN) - {"emulators"} and not is_common(module)
        ]
        assert not strange, f"{path} imports {strange}"


def test_environment_is_read_in_one_place() -> None:
    for path in sources("functions", "shared", "emulators"):
        if path == ROOT / "shared" / "config.py":
            continue
        for node in ast.walk(tree(path)):
            used = isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv")
            assert not used, f"{path}:{getattr(node, 'lineno', 0)} reads the environment: use shared.config"


def test_asserts_are_for_tests() -> None:
    for path in sources("functions", "shared", "emulators", "local", "fulcrum"):
        for node in ast.walk(tree(path)):
            assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}: raise an error instead"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_entry_specification_and_requirements(name: str) -> None:
    folder = ROOT / "functions" / name
    assert len((folder / "main.py").read_text().splitlines()) < 80
    assert (folder / "README.md").is_file()
    assert pins(folder / "requirements.txt")


def test_every_folder_of_functions_is_declared() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    assert folders == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_pins_what_the_tests_ran_with(name: str) -> None:
    for package, version in pins(ROOT / "functions" / name / "requirements.txt").items():
        assert importlib.metadata.version(package) == version, package


@pytest.mark.parametrize("name", FUNCTIONS)
def test_settings_are_declared_documented_and_read(name: str) -> None:
    readme = (ROOT / "functions" / name / "README.md").read_text()
    own = sources(f"functions/{name}")
    read = set()
    for path in [*own, *shared_closure(own, TOPOLOGY.functions[name].brings)]:
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            first = node.args[0]
            if node.func.attr in ("text", "number") and isinstance(first, ast.Constant):
                read.add(str(first.value))
    declared = {*TOPOLOGY.functions[name].settings, *TOPOLOGY.functions[name].secrets}
    for setting in declared:
        assert setting in readme, f"functions/{name}/README.md does not name the setting {setting}"
    assert declared <= read, f"{name} never reads {declared - read}"
    upper = {setting for setting in read if setting.isupper()}
    assert upper <= declared, (
        f"{name} reads {upper - declared}, which functions/services.yaml does not declare"
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_heavy_is_loaded_before_a_function_listens(name: str) -> None:
    source = str(ROOT / "functions" / name / "main.py")
    # As functions_framework._cli does it, up to the point where the server would listen.
    code = (
        "import json, sys\n"
        "from functions_framework import _cli\n"
        "app = _cli.create_app(sys.argv[1], sys.argv[2], 'http')\n"
        "_cli.create_server(app, False)\n"
        "print(json.dumps([type(app).__name__, sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name, source],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "K_SERVICE": name},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    kind, modules = json.loads(done.stdout)
    loaded = [module for module in modules if module.startswith(HEAVY)]
    assert not loaded, f"loaded too early: {loaded[:5]}"
    assert (kind == "Starlette") is TOPOLOGY.functions[name].asgi
