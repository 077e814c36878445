"""One route for each method, direction and interpreter, kept for all tests that use it."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.interop.routes import DIRECTIONS, METHODS, Route, open_route

# On interpreters other than the running one these stand for all, except with --long.
_HERE = Path(__file__).parent
_REPRESENTATIVES = ("aes-256-gcm", "xchacha20-ietf-poly1305")


@pytest.fixture(scope="module")
def route(request: pytest.FixtureRequest, ssgui_command: Sequence[str]) -> Iterator[Route]:
    """The route that a test's `direction` and `method` name."""
    direction, method = request.param
    with open_route(direction, ssgui_command, method) as opened:
        yield opened


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "route" in metafunc.fixturenames:
        pairs = [(direction, method) for method in METHODS for direction in DIRECTIONS]
        metafunc.parametrize("route", pairs, ids="-".join, indirect=True, scope="module")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # The items of all tests are given, not only those of this folder.
        if (call := getattr(item, "callspec", None)) is None or item.path.parent != _HERE:
            continue
        # Tests of one set of programs stay in one worker, or each would start programs of its own.
        if "kind" in call.params:
            item.add_marker(pytest.mark.xdist_group(str(call.params["kind"])))
        for end in ("server", "client"):
            if end in call.params and "method" in call.params:
                item.add_marker(pytest.mark.xdist_group(f"{end}-{call.params[end]}-{call.params['method']}"))
        if "route" not in call.params:
            continue
        direction, method = call.params["route"]
        python = call.params.get("ssgui_command", sys.executable)
        if python != sys.executable and method not in _REPRESENTATIVES:
            item.add_marker(pytest.mark.long)
        item.add_marker(pytest.mark.xdist_group(f"{direction}-{method}-{python}"))
