"""``python -m emulators.scheduler``: see README.md."""

from __future__ import annotations

from emulators.kit.requests import add_routes
from emulators.kit.serve import main
from emulators.scheduler.app import start

if __name__ == "__main__":
    main("scheduler", start, add_routes)
