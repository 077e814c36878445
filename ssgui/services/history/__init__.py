"""Connections that have ended, on the disk: written, asked, bounded and forgotten."""
