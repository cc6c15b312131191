"""Templates filled from a sample, before anybody is sent what comes of it."""
