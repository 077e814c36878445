"""The rules of this computer: a person's own, the lists that were chosen, their hits and their PAC."""
