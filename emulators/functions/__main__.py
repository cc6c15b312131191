"""``python -m emulators.functions``: see README.md."""

from __future__ import annotations

from emulators.functions.app import add_options, start
from emulators.kit.serve import main

if __name__ == "__main__":
    main("functions", start, add_options)
