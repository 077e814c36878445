"""Datagrams: the UDP side of a port, and its associations."""
