"""Embedded emulators of the Google services that Fulcrum stands on, driven by Google's own clients."""
