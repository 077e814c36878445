"""Typed settings and the files they come from."""
