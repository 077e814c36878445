"""ssgui: a Shadowsocks client and server that show what they do."""

__version__ = "0.1.0"
