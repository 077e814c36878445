"""The installers, made and then used in a bare Debian: see `drill.py`. As root, for minutes, with Debian's mirror."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ssgui import __version__
from tests.support.programs import require

ROOT = Path(__file__).parents[2]
SECONDS = 1800


@pytest.mark.long
@pytest.mark.timeout(2 * SECONDS)
def test_the_packages_are_installed_used_and_removed(capfd: pytest.CaptureFixture[str]) -> None:
    if not sys.platform.startswith("linux") or os.getuid() != 0:
        pytest.skip("the installers' drill: only root on Linux can make a system in a directory")
    for program in ("debootstrap", "unshare", "dpkg-deb", "dpkg-shlibdeps"):
        require(program)
    packages = sorted((ROOT / "dist").glob(f"ssgui_{__version__}_*.deb"))
    tarballs = sorted((ROOT / "dist").glob(f"ssgui-{__version__}-linux-*.tar.gz"))
    if not packages or not tarballs or _outdated(packages[0]):
        for tool in ("freeze", "package-linux"):
            subprocess.run([str(ROOT / "tools" / tool)], check=True, timeout=SECONDS)
        packages = sorted((ROOT / "dist").glob(f"ssgui_{__version__}_*.deb"))
        tarballs = sorted((ROOT / "dist").glob(f"ssgui-{__version__}-linux-*.tar.gz"))
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ssgui-bare-debian"
    # Its own mounts and processes: when it ends, however it ends, nothing of it is left.
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-m"]
    command += ["tests.installer.drill", str(base), str(packages[0]), str(tarballs[0])]
    with capfd.disabled():
        done = subprocess.run(command, cwd=ROOT, timeout=SECONDS)
    assert done.returncode == 0


def _outdated(package: Path) -> bool:
    """Whether something that goes into it is newer."""
    folders = ("ssgui", "resources", "pac")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix != ".pyc"]
    files += [ROOT / "build_installer.spec", ROOT / "pyproject.toml", ROOT / "tools/package-linux"]
    return max(path.stat().st_mtime for path in files if path.is_file()) > package.stat().st_mtime
