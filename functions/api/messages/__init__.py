"""Messages to devices: sent, looked at, cancelled; and the secret headers with which networks send them."""
