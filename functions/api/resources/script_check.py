"""Whether a script's text is Python: compiled, never run, in a process of its own.

A compiler can be made to use all memory, or to crash, by text alone; it must not take the API with it.
"""

from __future__ import annotations

import asyncio
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
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _PROGRAM,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        found, _ = await asyncio.wait_for(child.communicate(data), _SECONDS)
    except TimeoutError:
        raise _invalid("it takes too long to compile") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    problem = found.decode(errors="replace").strip()
    if problem or child.returncode:
        raise _invalid(problem[:500] or "it cannot be compiled")


def _invalid(message: str) -> ApiError:
    return ApiError(400, "script.code", f"the script: {message}", "correct the script; it was not saved")
