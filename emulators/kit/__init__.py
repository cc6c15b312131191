"""What every emulator shares: faults, call counts, the control server, durable records, start-up."""
