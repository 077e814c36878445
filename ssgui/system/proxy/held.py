"""Descriptors that children of a backend must keep open.

A program that sets the system's proxy for us may outlive us by a few milliseconds. It inherits the lock of the
journal (`pass_fds=held()`), so that nobody puts things back before it has ended, and is then overtaken by it.
"""

_held: list[int] = []


def hold(descriptor: int) -> None:
    """Have children inherit it from now on."""
    _held.append(descriptor)


def drop(descriptor: int) -> None:
    """No longer."""
    _held.remove(descriptor)


def held() -> tuple[int, ...]:
    """For `pass_fds`."""
    return tuple(_held)
