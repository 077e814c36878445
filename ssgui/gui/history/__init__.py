"""The window's view of the history."""
