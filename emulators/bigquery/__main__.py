"""``python -m emulators.bigquery``."""

from emulators.bigquery.app import start
from emulators.kit.serve import main

main("bigquery", start)
