"""A server, a client and a web site on this computer, to see what ssgui does."""
