"""A transcript of a shell in a document: its steps, and playing them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = "--- the step has ended"
# What is new at every run, and what stands in its place when outputs are compared.
_NEW = (
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z"), "<time>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<url>"),
    (re.compile(r"\bf[kta]_\w+"), "<key>"),
    (re.compile(r"\b[0-9A-Za-z]{22}\b"), "<id>"),
    (re.compile(r"\brequest [0-9a-f]{16}\b"), "request <id>"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True)
class Step:
    """What is typed, and what the document says is answered."""

    typed: str
    answered: str


def steps(document: str) -> Iterator[Step]:
    """The steps of all blocks of a document. A line that ends in a backslash goes on in the next."""
    for block in _BLOCK.findall(document):
        typed, going_on = "", False
        answered: list[str] = []
        for line in block.splitlines():
            if going_on:
                typed += f"\n{line}"
            elif line.startswith("$ "):
                if typed:
                    yield Step(typed, "\n".join(answered))
                typed, answered = line.removeprefix("$ "), []
            else:
                answered.append(line)
                continue
            going_on = line.endswith("\\")
        if typed:
            yield Step(typed, "\n".join(answered))


def masked(text: str) -> str:
    """An output without what is new at every run."""
    for pattern, instead in _NEW:
        text = pattern.sub(instead, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


class Shell:
    """One bash that plays step after step, so that variables stay."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What bash itself says of its background jobs is no command's output.
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def play(self, typed: str) -> str:
        """What a step writes, on both streams."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{{ {typed}\n}} 2>&1 </dev/null; echo; echo '{_MARK}'\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.rstrip("\n") == _MARK:
                return "".join(lines).removesuffix("\n")
            lines.append(line)
        raise AssertionError(f"the shell ended at: {typed}")

    def close(self) -> None:
        """End it, and what it has started."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write("kill $(jobs -p) 2>/dev/null; exit\n")
        self._bash.stdin.close()
        self._bash.stdout.close()
        self._bash.wait(30)
