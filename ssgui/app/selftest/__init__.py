"""`ssgui selftest`: whether this installation is whole and works on this machine."""
