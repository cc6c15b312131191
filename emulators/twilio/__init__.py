"""A stand-in for Twilio's API of text messages, for Twilio's own library."""
