"""What happens to connections as lines of JSON, and writers that never wait."""
