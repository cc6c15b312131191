"""What providers of mail and text messages tell of what they took: a module each, with its route."""
