"""A function that no process can start."""

raise RuntimeError("this function is broken on purpose")
