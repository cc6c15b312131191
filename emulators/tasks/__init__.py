"""A stand-in for Cloud Tasks, for Google's own client."""
