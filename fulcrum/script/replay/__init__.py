"""Replay: a script's new version over recorded history, beside the one that is deployed. Nothing is sent.

>>> from fulcrum.script.replay import lines
"""
