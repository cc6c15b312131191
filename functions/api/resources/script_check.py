"""What is wrong with a script's text: compiled, never run, in a process of its own.

A compiler can be made to use all memory, or to crash, by text alone; it must not take the API with it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.errors import ApiError
from shared.model.script import MAX_CODE_BYTES
from shared.model.script_files import MAIN

_SECONDS = 20.0
_MEMORY_BYTES = 1_000_000_000
# Reads {path: text}, and writes {entries, problems}.
_PROGRAM = f"""
import ast, json, resource, sys, warnings
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY_BYTES}, {_MEMORY_BYTES}))
warnings.simplefilter("ignore")
entries, problems = [], []

def wrong(path, message, line=None):
    problems.append({{"file": path, "line": line, "message": message[:500]}})

for path, text in json.loads(sys.stdin.buffer.read()).items():
    if not path.endswith(".py"):
        continue
    try:
        tree = ast.parse(text, path)
        compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        wrong(path, str(error.msg), error.lineno)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        wrong(path, f"it cannot be compiled: {{error or type(error).__name__}}")
    else:
        if path == "{MAIN}":
            found = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
            if not found:
                wrong(path, "it defines no function, such as: def run(message, context)")
            entries = [
                {{"name": n.name}} for n in found
                if not n.name.startswith("_") and len(n.args.posonlyargs) + len(n.args.args) >= 2
            ]
print(json.dumps({{"entries": entries, "problems": problems}}))
"""


async def check(code: str) -> None:
    """ApiError 400 ``script.code`` for a text that is too long, no Python, or without any function."""
    data = code.encode(errors="replace")
    if len(data) > MAX_CODE_BYTES:
        raise _invalid(f"it has {len(data)} bytes; at most {MAX_CODE_BYTES}")
    found = await inspected({MAIN: data.decode()})
    if found["problems"]:
        first = found["problems"][0]
        raise _invalid(f"line {first['line']}: {first['message']}" if first["line"] else first["message"])


async def inspected(files: Mapping[str, str]) -> dict[str, Any]:
    """What the text of a script's files says: ``{ok, entries: [{name, needs}], problems: [{file, line,
    message}]}``."""
    # In a thread, so that it does not depend on how the event loop at hand watches its subprocesses.
    found = await asyncio.to_thread(_inspected, msgspec.json.encode(files))
    return {"ok": not found["problems"], **found}


def _inspected(data: bytes) -> dict[str, Any]:
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return _failed("it takes too long to compile")
    if done.returncode:
        return _failed("it cannot be compiled")
    return msgspec.json.decode(done.stdout, type=dict[str, Any])


def _failed(message: str) -> dict[str, Any]:
    return {"entries": [], "problems": [{"file": MAIN, "line": None, "message": message}]}


def _invalid(message: str) -> ApiError:
    return ApiError(400, "script.code", f"the script: {message}", "correct the script; it was not saved")
