"""Who calls: signing in, sessions, passwords, API keys and users."""
