"""The typed client. ``api`` and ``types`` are made from the API's OpenAPI document; the rest is written."""
