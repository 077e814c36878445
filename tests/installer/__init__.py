"""What people download: how it is made, and what it does to a system."""
