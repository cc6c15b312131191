"""A project's document as a folder of YAML, one file a resource, and back.

``fulcrum.yaml`` has the project's own fields, ``blueprints/coldStore.yaml`` a blueprint with its attributes,
``scripts/tooWarm.py`` a script's code beside ``scripts/tooWarm.yaml``. A script of several files has a
folder, ``scripts/tooWarm/main.py`` and so on, in which its tests may stand as well. ``fulcrum.lock`` names
the state that the folder was made from. A resource is known by what its file says, not by the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fulcrum import json_yaml
from fulcrum.cli.problems import Problem, usage
from fulcrum.cli.scripts import source

ROOT, LOCK = "fulcrum.yaml", "fulcrum.lock"
# Section → the field by which a resource of it is known.
SECTIONS = {
    "messageRoutes": "name",
    "blueprints": "alias",
    "networks": "id",
    "systems": "alias",
    "templates": "alias",
    "scripts": "alias",
    "timers": "name",
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
            if section == "scripts" and (inner := path.with_suffix("")).is_dir():
                named = (source.MAIN, source.REQUIREMENTS, *source.further(inner))
                yield from (inner / name for name in named if (inner / name).is_file())


def _files(document: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    yield Path(ROOT), json_yaml.write({key: document[key] for key in _HEAD if key in document})
    for section, key in SECTIONS.items():
        used: set[str] = set()
        for resource in document.get(section, ()):
            name = _file_name(str(resource[key]), used)
            if section == "scripts":
                resource, files = _apart(resource)
                yield from ((Path(section) / f"{name}{path}", text) for path, text in files.items())
            yield Path(section) / f"{name}.yaml", json_yaml.write(resource)


def _apart(script: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A script without its code, and its files by what stands behind the script's name in their paths."""
    rest = {field: value for field, value in script.items() if field != "code"}
    files, requirements = rest.pop("files", {}), rest.pop("requirements", "")
    if not (files or requirements):
        return rest, {".py": script["code"]}
    made = {f"/{source.MAIN}": script["code"]}
    if requirements:
        made[f"/{source.REQUIREMENTS}"] = requirements
    made |= {f"/{path}": text for path, text in files.items() if source.is_part(path)}
    # What looks like a test, or notes, would not be read again.
    if left := {path: text for path, text in files.items() if not source.is_part(path)}:
        rest["files"] = left
    return rest, made


def _put_together(path: Path, found: dict[str, Any]) -> None:
    """Add a script's code to what its file says: from the file beside it, or the folder."""
    single, folder = path.with_suffix(".py"), path.with_suffix("")
    if single.is_file() and (folder / source.MAIN).is_file():
        raise Problem(
            f"{single} and {folder / source.MAIN} are both the code of {path.name}", "remove one of them"
        )
    if (folder / source.MAIN).is_file():
        code = source.read(folder)
        found["code"] = code.code
        if files := {**(found.get("files") or {}), **code.files}:
            found["files"] = files
        if code.requirements:
            found["requirements"] = code.requirements
    elif single.is_file():
        found["code"] = _read(single)
    else:
        raise Problem(
            f"{single} is missing: the code of {path.name}", "put the file back, or remove the other"
        )


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
        _put_together(path, found)
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
