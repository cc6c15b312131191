"""Reach a part of one of Google's packages without running the ``__init__`` of the whole.

``google.cloud.firestore_v1.types`` holds the protocol's messages and costs 30 ms; importing it the usual way
first runs ``google/cloud/firestore_v1/__init__.py``, which loads every layer of the client with requests and
cryptography below it: 200 ms and 25 MB that a function does without at its cold start. A :class:`_Package`
stands in for such a parent. It knows where its submodules are, and it runs the true ``__init__`` on itself as
soon as somebody asks it for a name that it does not have, so that the full client works in the same process.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """A package whose ``__init__`` runs at the first name asked for that no submodule has set."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(spec.name)
        self.__spec__ = spec
        self.__path__ = spec.submodule_search_locations or []
        self.__file__ = spec.origin
        self.__loader__ = spec.loader
        self.__package__ = spec.name

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        if name.startswith("__") or spec is None or spec.loader is None or "_running" in self.__dict__:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self._running = True
        try:
            spec.loader.exec_module(self)
        except BaseException:
            del self._running
            raise
        return getattr(self, name)


def skip_init(package: str) -> None:
    """Let submodules of ``package`` be imported without its ``__init__``; no effect if it is loaded."""
    if package in sys.modules:
        return
    parent_name, _, child = package.rpartition(".")
    parent = importlib.import_module(parent_name)
    spec = PathFinder.find_spec(package, parent.__path__)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    module = _Package(spec)
    sys.modules[package] = module
    setattr(parent, child, module)
