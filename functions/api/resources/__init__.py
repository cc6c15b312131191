"""Resources with the same verbs: created, listed, read, changed and deleted alike."""
