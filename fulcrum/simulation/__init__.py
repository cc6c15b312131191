"""Simulated devices: from a scenario to the events that a device sends. Pure: no clock, no stores.

The same scenario, seed, device and start give the same events, to the byte.
"""
