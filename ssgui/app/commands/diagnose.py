"""The command `ssgui diagnose`: the bundle of the app that runs, or of what it left behind."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

FILE = "ssgui-diagnosis.zip"


@click.command("diagnose")
@click.argument("file", default=FILE, metavar="[FILE|-]")
@click.option("--show-hosts", is_flag=True, help="Leave host names and addresses in it.")
@click.pass_context
def diagnose(context: click.Context, /, file: str, show_hosts: bool, **given: Any) -> int:
    """Write a zip to show to somebody who helps: version, system, settings, servers, how connections ended, the log.

    Passwords, links and where connections went are not in it, names and addresses only with --show-hosts. A running
    app is asked for it; otherwise it is made of what is on the disk. FILE is ssgui-diagnosis.zip if it is not given.
    """
    from ssgui.app.bundle import from_disk
    from ssgui.app.folders import data_folder
    from ssgui.config.atomic_file import write_atomically
    from ssgui.config.values import ConfigError
    from ssgui.services.control.channel import ControlError, ask

    folder = data_folder(given["data_dir"] or (context.obj or {}).get("data_dir"))
    path, why = Path(file).absolute(), ""
    if file != "-":
        try:
            asyncio.run(ask(folder, {"do": "diagnose", "file": str(path), "hide_hosts": not show_hosts}))
        except ControlError as error:
            why = str(error)  # what is on the disk can be had all the same
        else:
            return _said(f"{file}: written by the app that runs")
    data = from_disk(folder)(not show_hosts)
    try:
        if file == "-":
            sys.stdout.buffer.write(data)
            return 0
        write_atomically(path, data)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    return _said(f"{file}: written from {folder}; no log and no connections, for {why}")


def _said(text: str) -> int:
    click.echo(f"ssgui: {text}", err=True)
    return 0
