"""The page of log lines."""
