"""A bare Debian in a directory, in which programs run with nothing but what was installed there.

Made by debootstrap once and kept; each use is a layer over it (overlayfs) that is gone afterwards. It must run in a
mount and process namespace of its own (see `test_drill.py`), so that nothing of it can stay behind.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SUITE = "bookworm"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GENERATED = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/var/log")


class Root:
    """The directory `path`, ready to be run in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def command(self, command: Sequence[str], user: str = "root", **environment: str) -> list[str]:
        """The command line that runs `command` in there."""
        home = "/root" if user == "root" else f"/home/{user}"
        clean = {"PATH": _PATH, "HOME": home, "USER": user, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        made = [f"{name}={value}" for name, value in {**clean, **environment}.items()]
        who = [] if user == "root" else [f"--userspec={user}:{user}"]
        return ["chroot", *who, str(self.path), "env", "-i", "-C", home, *made, *command]

    def run(
        self, *command: str, user: str = "root", good: Sequence[int] = (0,), seconds: float = 600, **environment: str
    ) -> str:  # fmt: skip
        """What `command` says. AssertionError with it when the exit code is another."""
        full = self.command(command, user, **environment)
        with tempfile.TemporaryFile("w+") as output:  # no pipe: what it leaves running would keep that open
            done = subprocess.run(full, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=seconds)
            output.seek(0)
            said = output.read()
        assert done.returncode in good, f"{' '.join(command)}: {done.returncode}\n{said}"
        return said

    def start(self, *command: str, user: str, **environment: str) -> "subprocess.Popen[str]":
        """`command` running, with what it writes in a pipe."""
        return subprocess.Popen(
            self.command(command, user, **environment), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def files(self, *without: str) -> dict[str, str]:
        """Every path that a package or its use has made, and what it is: a directory, a link's target, a size."""
        found = {}
        for top, folders, names in os.walk(self.path):
            inside = "/" + os.path.relpath(top, self.path).removeprefix(".")
            folders[:] = [one for one in folders if os.path.join(inside, one) not in (*_GENERATED, *without)]
            for name in (*folders, *names):
                path = os.path.join(top, name)
                what = os.readlink(path) if os.path.islink(path) else "/" if os.path.isdir(path) else "file"
                found[os.path.join(inside, name)] = what
        return found

    def processes(self, program: str) -> dict[int, list[str]]:
        """Command lines of the processes that run `program`, by their ids."""
        wanted, found = self.path / program.lstrip("/"), {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.path.samefile(folder / "exe", wanted):
                    found[int(folder.name)] = (folder / "cmdline").read_text().split("\0")[:-1]
            except OSError:
                continue  # it has ended
        return found


def prepare(base: Path) -> None:
    """Make the bare system in `base`, once. CalledProcessError when it cannot be had."""
    if (base / "etc/debian_version").exists():
        return
    base.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", SUITE, str(base)]  # from the mirror that debootstrap has
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=900)


@contextmanager
def layer(base: Path, place: Path) -> Iterator[Root]:
    """A root over `base` while the block runs; `place` is an empty directory that gets a file system in memory."""
    _mount("-t", "tmpfs", "tmpfs", str(place))
    upper, work, path = place / "upper", place / "work", place / "root"
    for folder in (upper, work, path):
        folder.mkdir()
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir={base},upperdir={upper},workdir={work}", str(path))
    _mount("-t", "proc", "proc", str(path / "proc"))
    _mount("--bind", "/dev", str(path / "dev"))
    (path / "etc/resolv.conf").write_text(Path("/etc/resolv.conf").read_text())
    sockets = path / "tmp/.X11-unix"
    sockets.mkdir()
    sockets.chmod(0o1777)
    policy = path / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")  # no service is started
    policy.chmod(0o755)
    try:
        yield Root(path)
    finally:
        for mounted in (path / "dev", path / "proc", path, place):
            subprocess.run(["umount", "--lazy", str(mounted)], check=False)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
