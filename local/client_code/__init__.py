"""Makes the typed client's resources and types from the API's OpenAPI document.

``python -m local.client_code`` writes ``fulcrum/client/api/`` and ``fulcrum/client/types.py``; a test makes
them anew and compares, so that the client cannot fall behind the API.
"""
