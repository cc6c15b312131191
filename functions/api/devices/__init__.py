"""Devices: their definition, their data, their relations, and the walk along them."""
