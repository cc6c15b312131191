"""A project's document as a folder of YAML, one file a resource, and back.

``fulcrum.yaml`` has the project's own fields, ``blueprints/coldStore.yaml`` a blueprint with its attributes,
``scripts/tooWarm.py`` a script's code beside ``scripts/tooWarm.yaml``. ``fulcrum.lock`` names the state that
the folder was made from. A resource is known by what its file says, not by the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fulcrum import json_yaml
from fulcrum.cli.problems import Problem, usage

ROOT, LOCK = "fulcrum.yaml", "fulcrum.lock"
# Section → the field by which a resource of it is known.
SECTIONS = {
    "messageRoutes": "name",
    "blueprints": "alias",
    "networks": "id",
    "systems": "alias",
    "templates": "alias",
    "scripts": "alias",
    "roles": "name",
}
_HEAD = ("format", "project")


def write(folder: Path, document: Mapping[str, Any], base: str) -> list[Path]:
    """Write a document; files of resources that it does not have are removed. Returns what was written.

    Problem if the folder holds something else, so that nothing of somebody's is overwritten.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / ROOT).exists():
        raise usage(f"{folder} holds something else", "name an empty folder, or one that was exported before")
    files = dict(_files(document))
    files[Path(LOCK)] = _lock(base)
    for old in [*_ours(folder)]:
        if old.relative_to(folder) not in files:
            old.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # As it is: the lines of a script may end otherwise than this system's.
        path.write_text(text, encoding="utf-8", newline="")
    return sorted(files)


def write_base(folder: Path, base: str) -> None:
    """Note that the folder and the project are at the same state now."""
    (folder / LOCK).write_text(_lock(base), encoding="utf-8")


def read(folder: Path) -> tuple[dict[str, Any], str | None]:
    """The document of a folder, and the base that it was made from; Problem for a faulty file."""
    if not (folder / ROOT).is_file():
        raise usage(f"{folder} has no {ROOT}", "make the folder by: fulcrum export FOLDER")
    document = _load(folder / ROOT)
    if not isinstance(document, dict):
        raise Problem(f"{folder / ROOT} holds no object", "export the project anew to see what it looks like")
    strange = sorted(set(document) - set(_HEAD))
    if strange:
        raise Problem(
            f"{folder / ROOT}: {', '.join(strange)}: not known here", "keep resources in their folders"
        )
    for section, key in SECTIONS.items():
        for path in sorted((folder / section).glob("*.yml")):
            raise Problem(f"{path} would not be read", f"call it {path.with_suffix('.yaml').name}")
        found = [_resource(path, section) for path in sorted((folder / section).glob("*.yaml"))]
        document[section] = sorted(found, key=lambda resource: str(resource.get(key)))
    lock = _load(folder / LOCK) if (folder / LOCK).is_file() else None
    base = lock.get("base") if isinstance(lock, dict) else None
    return document, base if isinstance(base, str) else None


def _lock(base: str) -> str:
    return f"# The state that this folder was made from. Written by fulcrum.\nbase: {base}\n"


def _ours(folder: Path) -> Iterator[Path]:
    """The files of resources: YAML, and the code beside it. A lone file of Python is somebody's own."""
    for section in SECTIONS:
        for path in (folder / section).glob("*.yaml"):
            yield path
            if path.with_suffix(".py").is_file():
                yield path.with_suffix(".py")


def _files(document: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    yield Path(ROOT), json_yaml.write({key: document[key] for key in _HEAD if key in document})
    for section, key in SECTIONS.items():
        used: set[str] = set()
        for resource in document.get(section, ()):
            name = _file_name(str(resource[key]), used)
            if section == "scripts":
                yield Path(section) / f"{name}.py", resource["code"]
                resource = {field: value for field, value in resource.items() if field != "code"}
            yield Path(section) / f"{name}.yaml", json_yaml.write(resource)


def _file_name(name: str, used: set[str]) -> str:
    """A name that every file system takes: two resources never share one."""
    plain = re.sub(r"[^A-Za-z0-9_\-]+", "-", name).strip("-")[:80] or "unnamed"
    made, number = plain, 1
    while made.lower() in used:
        number += 1
        made = f"{plain}-{number}"
    used.add(made.lower())
    return made


def _resource(path: Path, section: str) -> Any:
    found = _load(path)
    if not isinstance(found, dict):
        raise Problem(f"{path} holds no object", "export the project anew to see what it looks like")
    if section == "scripts" and "code" not in found:
        code = path.with_suffix(".py")
        if not code.is_file():
            raise Problem(
                f"{code} is missing: the code of {path.name}", "put the file back, or remove the other"
            )
        found["code"] = _read(code)
    return found


def _load(path: Path) -> Any:
    try:
        return json_yaml.read(_read(path))
    except ValueError as error:
        raise Problem(f"{path}: {error}", "correct the file") from None


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path} cannot be read: {error}", "put the file in order, or remove it") from None
