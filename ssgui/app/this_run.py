"""Servers from the command line, for one run of the app: they take the place of the list, and nothing is saved."""

import msgspec

from ssgui.app.consent import plugin_key
from ssgui.config.app_config import AppConfig, Choice, Mode, Settings, server_of
from ssgui.config.models import LocalSettings, ServerChoice
from ssgui.config.secret import Secret
from ssgui.engine.own_machine import is_loopback


def with_run(config: AppConfig, run: LocalSettings) -> AppConfig:
    """`config` with the servers and the port of `run`; language, theme and the like stay the person's."""
    servers = tuple(server_of(profile, f"run-{number}") for number, profile in enumerate(run.servers, 1))
    name, password = run.users[0] if run.users else ("", Secret(""))
    settings: Settings = msgspec.structs.replace(
        config.settings,
        mode=Mode.GLOBAL,
        local_port=run.bind_port,
        share=is_shared(run),
        user=name,
        user_password=password,
        choice=_choice(run),
        udp=run.udp,
        timeout=run.timeout,
        prefer_ipv6=run.prefer_ipv6,
        fast_open=run.fast_open,
        probe_url=run.probe_url,
        legacy_methods=tuple(sorted(run.legacy_methods)),
        sealed={},
        upstream_proxy=Secret(""),  # `under` has that of the command
    )
    agreed = tuple(plugin_key(server) for server in servers if server.plugin)  # they were typed, in a command
    return AppConfig(servers=servers, current=servers[0].id, settings=settings, agreed_plugins=agreed)


def under(wanted: LocalSettings, run: LocalSettings) -> LocalSettings:
    """`wanted`, which comes from the window, with what only the command line can say."""
    same_door = is_shared(wanted) == is_shared(run)
    at_random = run.choice is ServerChoice.RANDOM and wanted.choice is ServerChoice.FIXED
    return msgspec.structs.replace(
        wanted,
        bind_host=run.bind_host if same_door else wanted.bind_host,
        users=run.users if len(run.users) > 1 else wanted.users,
        udp_timeout=run.udp_timeout,
        choice=run.choice if at_random else wanted.choice,
        acl=run.acl,
        bypass_lan=run.bypass_lan,
        mptcp=run.mptcp,
        upstream_proxy=run.upstream_proxy,
    )


def is_shared(settings: LocalSettings) -> bool:
    """Whether other computers may reach the port."""
    return settings.bind_host != "localhost" and not is_loopback((settings.bind_host, 0))


def _choice(run: LocalSettings) -> Choice:
    if len(run.servers) == 1:
        return Choice.ONE
    return Choice.FASTEST if run.choice is ServerChoice.AUTO else Choice.FAILOVER
