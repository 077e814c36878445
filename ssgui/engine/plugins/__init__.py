"""SIP003 plugins: programs that carry a server's connections, and end with us."""
