"""A stand-in for Cloud Scheduler, for Google's own client."""
