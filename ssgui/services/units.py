"""Numbers for the eye: three figures at most, as (digits, unit), in window and terminal alike."""

_STEPS = ("B", "KB", "MB", "GB", "TB")


def amount(count: float) -> tuple[str, str]:
    """Bytes as (digits, unit): three figures at most, decimal steps: ("3.42", "MB")."""
    value, step = float(count), 0
    while value >= 999.5 and step < len(_STEPS) - 1:
        value /= 1000
        step += 1
    if step == 0 or value >= 99.95:
        return f"{value:.0f}", _STEPS[step]
    return (f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"), _STEPS[step]


def rate(per_second: float) -> tuple[str, str]:
    """Bytes per second likewise; below one it is 0."""
    digits, unit = amount(per_second if per_second >= 1 else 0)
    return digits, f"{unit}/s"


def span(seconds: float) -> tuple[str, str]:
    """A duration as (digits, unit): milliseconds below a second, then seconds, minutes, hours."""
    if seconds < 0.9995:
        value = seconds * 1000
        return (f"{value:.1f}" if value < 9.95 else f"{value:.0f}"), "ms"
    if seconds < 59.95:
        return f"{seconds:.1f}", "s"
    if seconds < 3600:
        return f"{seconds / 60:.0f}", "min"
    return f"{seconds / 3600:.1f}", "h"


def age(seconds: float) -> tuple[str, str]:
    """How old something is: tenths of a second under 10 s, then whole seconds, minutes, hours."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}", "s"
    if seconds < 59.5:
        return f"{seconds:.0f}", "s"
    if seconds < 3570:
        return f"{seconds / 60:.0f}", "min"
    return f"{seconds / 3600:.0f}", "h"
