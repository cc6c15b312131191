"""A project as code: read as one document, compared with another, changed to it all at once, and back."""
