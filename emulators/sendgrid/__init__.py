"""A stand-in for SendGrid's Web API v3, for its own client."""
