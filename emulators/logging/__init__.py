"""A stand-in of Cloud Logging's ``entries:list``: reads the structured lines of a local stack."""
