"""Lines for a terminal: each is run by its own shell, where that is here."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from ssgui.app.proxy_commands import SHELLS, proxy_command

_TELL = "import json,os; print(json.dumps({k: v for k, v in os.environ.items() if k.endswith('_proxy')}))"


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize(("user", "password"), [("", ""), ("an n", "p@s's \"w$rd%;")])
def test_a_shell_understands_its_line(shell: str, user: str, password: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell}: not on PATH")
    line = proxy_command(shell, "127.0.0.1:1080", user, password)
    env = {name: value for name, value in os.environ.items() if not name.endswith("_proxy")}
    command = [shell, "-c", f'{line}; "{sys.executable}" -c "{_TELL}"']
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=30, check=True)
    found = json.loads(done.stdout)
    login = "an%20n:p%40s%27s%20%22w%24rd%25%3B@" if user else ""
    assert found["http_proxy"] == found["https_proxy"] == f"http://{login}127.0.0.1:1080"
    assert found["all_proxy"] == f"socks5h://{login}127.0.0.1:1080"


def test_the_others() -> None:
    assert proxy_command("powershell", "[::1]:1080").startswith('$env:http_proxy="http://[::1]:1080"; ')
    assert proxy_command("cmd", "[::1]:1080").startswith('set "http_proxy=http://[::1]:1080"&& ')
    assert set(SHELLS) == {"bash", "fish", "powershell", "cmd"}
    with pytest.raises(ValueError, match="zx"):
        proxy_command("zx", "127.0.0.1:1080")
