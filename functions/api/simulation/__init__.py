"""Simulated devices: what they play is started, paused, reset, stopped and looked at."""
