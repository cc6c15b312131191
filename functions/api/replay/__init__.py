"""What a replay runs over: recorded events with what was known when they came."""
