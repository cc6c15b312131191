"""``python -m emulators.logging --log FILE``."""

import argparse
from pathlib import Path

from emulators.kit.serve import main
from emulators.logging.app import start


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", type=Path, required=True, help="the file with a structured line each")


main("logging", start, _options)
