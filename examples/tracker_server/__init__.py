"""An ingestion server of one's own: trackers that speak a protocol of their own, over UDP and TCP."""
