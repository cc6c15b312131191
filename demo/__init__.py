"""`make demo`: from nothing to proof that every accepted event stands once in history and in state."""
