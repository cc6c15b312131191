"""``python -m emulators.sendgrid``: see README.md."""

from __future__ import annotations

from emulators.kit.serve import main
from emulators.sendgrid.app import add_options, start

if __name__ == "__main__":
    main("sendgrid", start, add_options)
