"""What a server without a window has beside its ports: managers, counters, workers."""
