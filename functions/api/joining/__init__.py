"""How devices come in and what goes wrong on the way: unknown devices, keys, CSV, quarantine, jobs."""
