"""`make demo`: from nothing to proof that every event that was accepted stands once in history and in state."""
