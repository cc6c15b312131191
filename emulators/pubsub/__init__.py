"""An embedded Pub/Sub: topics, pull, streaming pull and push, with the service's own rules."""
