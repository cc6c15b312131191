"""Timers that run: started, stopped, and when they fire next."""
