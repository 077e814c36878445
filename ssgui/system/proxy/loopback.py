"""Whether an address of a proxy is this computer itself."""

import ipaddress


def is_loopback(host: str) -> bool:
    """A literal of the loopback, or its name. Nothing is looked up."""
    plain = host.strip("[]").rstrip(".").lower()
    if plain == "localhost" or plain.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return False


def split_url(url: str) -> tuple[str, int]:
    """Host and port of a URL; ("", 0) if it has none."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "", 0
    authority = rest.partition("/")[0].rpartition("@")[2]
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority, ""
    number = int(port) if port.isdigit() else {"http": 80, "https": 443}.get(scheme.lower(), 0)
    return host.strip("[]"), number
