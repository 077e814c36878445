"""The page of servers: the list, one server's details, and what is done with them."""
