"""The Pub/Sub emulator, driven by Google's own clients and judged by Google's emulator."""
