"""The rules page: where addresses go, and why; the lists, and the rules of one's own."""
