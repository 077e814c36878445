"""`ssgui restore-proxy`: the system's proxy as it was before ssgui changed it, without a window."""

from collections.abc import Callable
from pathlib import Path

from ssgui.services.control.channel import InstanceLock
from ssgui.system.proxy.backend import ProxyBackend, ProxyError
from ssgui.system.proxy.choose import backend_named, choose_backend
from ssgui.system.proxy.journal import Find, Journal, Restored
from ssgui.system.proxy.listening import somebody_listens


def restore_proxy(
    folder: Path, say: Callable[[str], None], *,
    find: Find = backend_named, choose: Callable[[], ProxyBackend | None] = choose_backend,
) -> None:  # fmt: skip
    """Put back what the journal in `folder` says, and `say` what came of it. ProxyError if that cannot be done."""
    journal = Journal(folder)
    if not journal.path.exists():
        say("nothing to put back: the system's proxy is not changed by ssgui")
        _hint(say, choose)
        return
    with journal.locked():
        restored = journal.restore(find)
    for one in restored:
        for line in _lines(one):
            say(line)
    lock = InstanceLock(folder)
    if not lock.take():
        say("ssgui is running, and can set it again")
    lock.release()


def _lines(one: Restored) -> list[str]:
    lines = ["the system's proxy is back to what it was" if one.changed else "the system's proxy was back already"]
    if one.others:
        lines = ["what another program has set is left as it is; what was still ssgui's is put back"]
    lines += [f"it led to port {port} of this computer, where nobody listens: it is switched off" for port in one.dead]
    return lines


def _hint(say: Callable[[str], None], choose: Callable[[], ProxyBackend | None]) -> None:
    """A proxy without a note of ours is somebody's, and not touched; a dead one is worth a word."""
    try:
        backend = choose()
        ports = backend.loopback_ports(backend.snapshot()) if backend is not None else ()
    except ProxyError:
        return
    for port in ports:
        if not somebody_listens(port):
            say(f"it leads to port {port} of this computer, where nobody listens; the system's settings turn it off")
