"""The control channel: one instance per data directory, and other processes that ask or watch one."""
