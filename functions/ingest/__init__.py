"""Takes events from devices over HTTP and publishes them."""
