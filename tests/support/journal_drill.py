"""A death at every call of a backend, and what the next process makes of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from ssgui.system.proxy.backend import ProxyBackend, ProxySetting, Snapshot
from ssgui.system.proxy.journal import Journal, Restored


class Died(BaseException):
    """The process is killed here."""


class System(Protocol):
    """A stand-in that raises Died when as many calls were made as `die_at` says."""

    calls: list[Any]
    die_at: int


def set_proxy(folder: Path, backend: ProxyBackend, setting: ProxySetting, owner: str = "one") -> Snapshot:
    """As the app does it."""
    journal = Journal(folder, listens=lambda port: True)
    with journal.locked():
        return journal.set(backend, setting, owner)


def put_back(folder: Path, backend: ProxyBackend) -> tuple[Restored, ...]:
    """As the next start does it."""
    journal = Journal(folder, listens=lambda port: True)
    with journal.locked():
        return journal.restore(lambda name: backend)


@contextmanager
def dying(system: System, after: int) -> Iterator[None]:
    """With a system that dies `after` so many calls from now, if anything comes so far."""
    system.die_at = len(system.calls) + after
    with suppress(Died):
        yield
    system.die_at = -1


def deaths(
    folder: Path, make: Callable[[], System], backend: Callable[[Any], ProxyBackend], chosen: Sequence[ProxySetting],
    state: Callable[[Any], Any],
) -> int:  # fmt: skip
    """Die at every call of some changes and of their restore; each time what was before must be there again. Returns
    how often."""

    def live(system: System) -> None:
        for setting in chosen:
            set_proxy(folder, backend(system), setting)
        put_back(folder, backend(system))

    system = make()
    before = state(system)
    live(system)
    steps = len(system.calls)
    for step in range(steps):
        system = make()
        with dying(system, step):
            live(system)
        assert len(system.calls) == step
        put_back(folder, backend(system))
        assert state(system) == before, f"dead at call {step} of {steps}: {system.calls[-3:]}"
        assert put_back(folder, backend(system)) == ()
    return steps
