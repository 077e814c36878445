"""ssgui among the programs of a system: starts at login, opens ss:// links, is reached by store apps."""
