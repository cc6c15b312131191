"""``GET /v1/live``: what changes, as server-sent events, for as long as somebody listens."""
