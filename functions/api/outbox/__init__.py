"""Messages to people: what was sent, to whom, and what became of it."""
