"""Plays scenarios: what simulated devices send goes the way of all events."""
