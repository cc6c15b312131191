"""Embedded Cloud Functions: see README.md."""
