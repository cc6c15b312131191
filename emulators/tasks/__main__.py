"""``python -m emulators.tasks``: see README.md."""

from __future__ import annotations

from emulators.kit.serve import main
from emulators.tasks.app import start

if __name__ == "__main__":
    main("tasks", start)
