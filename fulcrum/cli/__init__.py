"""The command ``fulcrum``: everything that the API does, from a shell. ``main`` is where it starts."""
