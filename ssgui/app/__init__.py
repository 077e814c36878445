"""What a person starts: the parts put together, without a window."""
