"""``python -m emulators.tasks``: see README.md."""

from __future__ import annotations

from emulators.kit.serve import main
from emulators.tasks.app import add_options, start

if __name__ == "__main__":
    main("tasks", start, add_options)
