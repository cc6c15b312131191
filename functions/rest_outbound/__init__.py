"""Keeps what becomes of messages to devices, and sends those whose network has HTTP."""
