"""Which program a connection to us belongs to, as the operating system tells."""
