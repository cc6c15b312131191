"""``fulcrum script init``: a folder with a script, its test and a first event."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import fulcrum
from fulcrum import json_yaml
from fulcrum.cli import output
from fulcrum.cli.problems import Problem, usage

# Short name → folder of an example.
EXAMPLES = {
    "hysteresis": "threshold_hysteresis",
    "geofence": "geofence",
    "rate": "rate_of_change",
    "watchdog": "watchdog",
    "rollup": "fleet_rollup",
}
_TEMPLATE = Path(__file__).with_name("template")
# A file of the template that is no file of ours: it is neither imported nor checked where it stands.
_SUFFIX = ".in"


def init(
    folder: Annotated[Path, typer.Argument(metavar="NAME", help="The folder to make, named as the script")],
    example: Annotated[
        str | None, typer.Option("--example", help=f"Begin with one of: {', '.join(EXAMPLES)}")
    ] = None,
) -> None:
    """Make a folder with a script, a first event and a test, ready to be run and deployed."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise usage(
            f"{folder} is there already", "name a folder that is not there yet: nothing is overwritten"
        )
    words = re.findall(r"[A-Za-z0-9]+", folder.resolve().name)
    if not words:
        raise usage(f"{folder.name!r} is no name for a script", "use letters and digits, as in too-warm")
    files = dict(_of_example(example, words) if example else _of_template(words))
    for name, text in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        output.line(str(path))
    for line in _next(folder, _alias(words), bool(example)):
        output.note(line)


def _of_template(words: list[str]) -> Iterator[tuple[Path, str]]:
    for path in _TEMPLATE.rglob(f"*{_SUFFIX}"):
        text = path.read_text(encoding="utf-8")
        made = text.replace("@name@", _name(words)).replace("@alias@", _alias(words))
        yield path.relative_to(_TEMPLATE).with_suffix(""), made


def _of_example(example: str, words: list[str]) -> Iterator[tuple[Path, str]]:
    if example not in EXAMPLES:
        raise usage(f"there is no example {example!r}", f"there are: {', '.join(EXAMPLES)}")
    folder = _examples() / EXAMPLES[example]
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and not any(part.startswith((".", "__")) for part in inner.parts):
            text = path.read_text(encoding="utf-8")
            if inner.name == "script.yaml":
                text = json_yaml.write({**json_yaml.read(text), "name": _name(words), "alias": _alias(words)})
            yield inner, text


def _examples() -> Path:
    """Where the examples are: in the installed package, or beside it in the repository."""
    package = Path(fulcrum.__file__).parent
    for folder in (package / "script" / "examples", package.parent / "examples" / "scripts"):
        if folder.is_dir():
            return folder
    raise Problem("this installation has no examples", "install the package anew, or leave --example out")


def _name(words: list[str]) -> str:
    name = " ".join(words)
    return name[0].upper() + name[1:]


def _alias(words: list[str]) -> str:
    """Words as an alias: ``tooWarm``, with a letter at its start."""
    first, *rest = words
    made = first[0].lower() + first[1:] + "".join(word[0].upper() + word[1:] for word in rest)
    return made if made[0].isalpha() else f"script{made}"


def _next(folder: Path, alias: str, is_example: bool) -> Iterator[str]:
    yield ""
    yield "next:"
    led = [
        (f"fulcrum message-route create --name {alias} --route '{_route(alias)}'", ""),
        ("fulcrum blueprint update BLUEPRINT messageRouteId=ROUTE", "lead events to it, with its parameters"),
    ]
    if is_example:
        led = [(f"see {folder / 'README.md'}", "lead events to it, with its parameters")]
    for line, why in (
        (f"$EDITOR {folder / 'main.py'}", "say what the script does"),
        (f"fulcrum script test {folder}", "run its tests, here and without the platform"),
        (f"fulcrum script set-code {alias} {folder} --create", "upload it"),
        (f"fulcrum script deploy {alias}", "let it run"),
        *led,
    ):
        yield f"  {line:<50}  {why}".rstrip()


def _route(alias: str) -> str:
    """A message route that leads what devices send through a script, and then into the history."""
    reasoner = {"id": alias, "limit": 30, "recipients": ["+4712345678"]}
    return json.dumps(
        {"deviceDataEventMsg": [{"topic": "reason", "options": {"reasoner": reasoner}}, "writer"]}
    )
