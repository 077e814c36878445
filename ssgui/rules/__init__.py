"""What goes where, pure: access lists, rule lists, the matcher."""
