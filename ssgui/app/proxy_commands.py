"""Lines that tell the programs of a terminal to use the proxy."""

from urllib.parse import quote

SHELLS = {"bash": "bash, zsh", "fish": "fish", "powershell": "PowerShell", "cmd": "cmd"}
_OWN = "localhost,127.0.0.1,::1"


def proxy_command(shell: str, address: str, user: str = "", password: str = "") -> str:
    """What to paste into a `shell` of SHELLS, for the proxy at `address` ("127.0.0.1:1080").

    Programs look for `http_proxy` and `https_proxy`, or for `all_proxy`, and curl for the first in small letters only.
    """
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    http, socks = f"http://{login}{address}", f"socks5h://{login}{address}"
    values = {"http_proxy": http, "https_proxy": http, "all_proxy": socks, "no_proxy": _OWN}
    match shell:
        case "bash":
            return "export " + " ".join(f"{name}={value}" for name, value in values.items())
        case "fish":
            return "; ".join(f"set -gx {name} {value}" for name, value in values.items())
        case "powershell":
            return "; ".join(f'$env:{name}="{value}"' for name, value in values.items())
        case "cmd":  # a percent sign would begin a variable in a file, but not at the prompt
            return "&& ".join(f'set "{name}={value}"' for name, value in values.items())
    raise ValueError(f"no shell is called {shell!r}")
