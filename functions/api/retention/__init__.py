"""How long a project keeps what: its settings, what they would let go, and curations."""
