"""A client's servers: what is known of each, which is chosen, and how it is reached."""
