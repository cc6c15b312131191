"""``python -m emulators.pubsub``: see README.md."""

from __future__ import annotations

from emulators.kit.serve import main
from emulators.pubsub.app import start

if __name__ == "__main__":
    main("pubsub", start)
