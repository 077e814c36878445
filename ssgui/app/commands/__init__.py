"""Commands of the program that ask for something once, and end."""
