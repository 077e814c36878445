"""How the demo looks. Text only that every terminal has; what comes from strangers goes in as `Text`."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ssgui.app.demo.trips import Trip
from ssgui.app.log_output import plain
from ssgui.engine.stages import Role, Stage

_STYLES = {
    Stage.INIT: "default",
    Stage.ADDR: "cyan",
    Stage.DNS: "blue",
    Stage.CONNECTING: "yellow",
    Stage.STREAM: "bold green",
    Stage.DESTROYED: "magenta",
}
_MEANING = {
    (Role.LOCAL, Stage.INIT): "a program has connected",
    (Role.LOCAL, Stage.ADDR): "it says in SOCKS5 where it wants to go",
    (Role.LOCAL, Stage.DNS): "where is the server?",
    (Role.LOCAL, Stage.CONNECTING): "connecting to the server",
    (Role.LOCAL, Stage.STREAM): "bytes flow, encrypted",
    (Role.SERVER, Stage.INIT): "the client has connected",
    (Role.SERVER, Stage.DNS): "address decrypted; where is the target?",
    (Role.SERVER, Stage.CONNECTING): "connecting to the target",
    (Role.SERVER, Stage.STREAM): "bytes flow, decrypted",
}
_ORDER = [Stage.INIT, Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM]
_ENDS = {Role.LOCAL: "client", Role.SERVER: "server"}


def name(stage: Stage) -> Text:
    """A stage in its colour."""
    return Text(stage.name, _STYLES[stage])


def milliseconds(seconds: float | None) -> str:
    """Seconds as "1.23 ms", "-" for None."""
    return "-" if seconds is None else f"{seconds * 1000:.2f} ms"


def rate(size: int, seconds: float) -> str:
    """Bytes over seconds as "123 MB/s"."""
    return f"{size / max(seconds, 1e-9) / 1e6:,.0f} MB/s"


class Screen:
    """Prints the demo to `console`."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def opening(self, version: str, *, client: str, server: str, method: str, site: str) -> None:
        """Who is there."""
        chain = Table.grid(padding=(0, 2))
        for _ in range(3):
            chain.add_column(overflow="fold")
        chain.add_row(Text("client", "bold"), Text(client), Text("SOCKS5, for programs", "dim"))
        chain.add_row(Text("server", "bold"), Text(server), Text(f"{method}, random password", "dim"))
        chain.add_row(Text("web site", "bold"), Text(site), Text("a page, and 50 MB", "dim"))
        title = Text.assemble((f"ssgui {version}", "bold"), " demo: everything on this computer")
        self.console.print(Panel(chain, title=title, title_align="left", box=box.ROUNDED, expand=False))

    def timeline(self, trips: Sequence[Trip]) -> None:
        """Each stage of both ends in the order of time, counted from the first."""
        table = _table()
        table.add_column("at", justify="right", no_wrap=True)
        table.add_column("client", no_wrap=True)
        table.add_column("server", no_wrap=True)
        table.add_column("what happens", style="dim", overflow="fold")
        moments = sorted(((t, stage, trip) for trip in trips for stage, t in trip.stages), key=lambda one: one[0])
        start = min(trip.began for trip in trips)
        for t, stage, trip in moments:
            cells = [name(stage), Text("")] if trip.role is Role.LOCAL else [Text(""), name(stage)]
            meaning = _MEANING.get((trip.role, stage)) or _ending(trip)
            table.add_row(milliseconds(t - start), *cells, Text(meaning))
        self.console.print(table)

    def durations(self, trips: Sequence[Trip]) -> None:
        """The time in each stage, and the rate, for each end."""
        ends = sorted(trips, key=lambda trip: trip.role)
        table = _table()
        table.add_column("time in", no_wrap=True)
        for trip in ends:
            table.add_column(_ENDS[trip.role], justify="right", no_wrap=True)
        for stage in _ORDER:
            table.add_row(name(stage), *(milliseconds(trip.spent(stage)) for trip in ends))
        table.add_section()
        table.add_row("rate", *(_stream_rate(trip) for trip in ends))
        self.console.print(table)

    def heading(self, text: str) -> None:
        """What comes next."""
        self.console.print()
        self.console.print(Text(text, "bold"))

    def good(self, text: str) -> None:
        """A step that went well."""
        self.console.print(Text.assemble(("ok  ", "bold green"), text), soft_wrap=True)

    def bad(self, text: str) -> None:
        """Why it ends."""
        self.console.print(Text.assemble(("failed  ", "bold red"), plain(text)), soft_wrap=True)

    def invitation(self, proxy: str, site: str, bulk: str) -> None:
        """What to type now."""
        self.heading("The proxy keeps running. In another terminal:")
        for url in (f"{site}/", f"-o /dev/null {site}{bulk}", "https://example.com/"):
            self.console.print(Text(f"  curl --socks5-hostname {proxy} {url}", "cyan"), soft_wrap=True)
        self.console.print(Text(f"or set the SOCKS5 proxy of a browser to {proxy}. Ctrl-C stops it."), soft_wrap=True)
        self.console.print()

    def ended(self, trip: Trip) -> None:
        """Two lines for one end of a connection of somebody who tries it."""
        head = Text.assemble((_ENDS[trip.role], "dim"), "  ", (plain(trip.target or "no target"), "bold"), "  ")
        line = Text(" " * 8)
        for stage in _ORDER:
            if (spent := trip.spent(stage)) is not None:
                line.append_text(name(stage)).append(f" {milliseconds(spent)}  ")
        self.console.print(head.append(_ending(trip)), soft_wrap=True)
        self.console.print(line, soft_wrap=True)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")


def _stream_rate(trip: Trip) -> str:
    seconds = trip.spent(Stage.STREAM)
    return rate(trip.closed.down, seconds) if trip.closed and seconds else "-"


def _ending(trip: Trip) -> str:
    closed = trip.closed
    return "" if closed is None else f"{closed.reason}: {closed.up:,} bytes up, {closed.down:,} down"
