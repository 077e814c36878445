"""Programs that servers want to have started: each is asked about once, unless a person typed it."""

import hashlib
import json

import msgspec

from ssgui.config.app_config import AppConfig, Server


def plugin_key(server: Server) -> str:
    """What is agreed to: the program with exactly these options, of which some are secrets."""
    said = json.dumps([server.plugin, server.plugin_opts, server.plugin_args])
    return f"{server.plugin} {hashlib.sha256(said.encode()).hexdigest()}"


def is_agreed(config: AppConfig, server: Server) -> bool:
    """Whether everything that `server` starts may be started."""
    return not server.plugin or plugin_key(server) in config.agreed_plugins


def agree(config: AppConfig, server: Server) -> AppConfig:
    """`config` with a yes to the plugin of `server`."""
    if is_agreed(config, server):
        return config
    return msgspec.structs.replace(config, agreed_plugins=(*config.agreed_plugins, plugin_key(server)))


def with_typed(config: AppConfig, before: Server | None, after: Server) -> AppConfig:
    """`config` after a person edited a server: what somebody types, is agreed to."""
    if before is not None and plugin_key(before) == plugin_key(after):
        return config
    return agree(config, after)
