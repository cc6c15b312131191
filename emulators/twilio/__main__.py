"""``python -m emulators.twilio``: see README.md."""

from __future__ import annotations

from emulators.kit.serve import main
from emulators.twilio.app import add_options, start

if __name__ == "__main__":
    main("twilio", start, add_options)
