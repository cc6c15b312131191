"""Whether a script's text is Python: compiled, never run, in a process of its own.

A compiler can be made to use all memory, or to crash, by text alone; it must not take the API with it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys

from shared.errors import ApiError
from shared.model.script import MAX_CODE_BYTES

_SECONDS = 20.0
_MEMORY_BYTES = 1_000_000_000
# Says on one line what is wrong; nothing if all is well.
_PROGRAM = f"""
import ast, resource, sys, warnings
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY_BYTES}, {_MEMORY_BYTES}))
warnings.simplefilter("ignore")
try:
    text = sys.stdin.buffer.read().decode()
    tree = ast.parse(text, "script.py")
    compile(text, "script.py", "exec", dont_inherit=True)
    if not any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in tree.body):
        print("it defines no function, such as: def run(message, context)")
except SyntaxError as error:
    print(f"line {{error.lineno}}: {{error.msg}}")
except (ValueError, RecursionError, MemoryError, OverflowError) as error:
    print(f"it cannot be compiled: {{error or type(error).__name__}}")
"""


async def check(code: str) -> None:
    """ApiError 400 ``script.code`` for a text that is too long, no Python, or without any function."""
    data = code.encode(errors="replace")
    if len(data) > MAX_CODE_BYTES:
        raise _invalid(f"it has {len(data)} bytes; at most {MAX_CODE_BYTES}")
    # In a thread, so that it does not depend on how the event loop at hand watches its subprocesses.
    problem = (await asyncio.to_thread(_compiled, data)).strip()
    if problem:
        raise _invalid(problem[:500])


def _compiled(data: bytes) -> str:
    """What is wrong with a text; nothing if all is well."""
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return "it takes too long to compile"
    return done.stdout.decode(errors="replace") or ("it cannot be compiled" if done.returncode else "")


def _invalid(message: str) -> ApiError:
    return ApiError(400, "script.code", f"the script: {message}", "correct the script; it was not saved")
