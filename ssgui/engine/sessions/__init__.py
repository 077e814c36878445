"""Client connections, by what they speak: each finds out what is wanted."""
