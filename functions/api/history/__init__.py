"""History and events: queries, exports, the state at a past instant, event records and acknowledgements."""
