"""``python -m emulators.firestore``."""

from __future__ import annotations

from emulators.firestore.app import add_options, start
from emulators.kit.serve import main

if __name__ == "__main__":
    main("firestore", start, add_options)
