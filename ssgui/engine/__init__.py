"""The relay engine: asyncio and sockets, on any loop; never Qt, never a file."""
