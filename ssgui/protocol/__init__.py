"""The wire formats, pure: no sockets, no clock, no randomness of their own. Time and salts are parameters."""
