"""The way of one event through all services, from what they stored and what they logged."""
