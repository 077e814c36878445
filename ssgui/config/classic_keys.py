"""The keys of classic configuration files, of the original and of its descendants, and what becomes of them."""

HONOURED = frozenset({
    "server", "server_port", "password", "port_password", "method", "servers",
    "local_address", "local_port", "timeout", "forbidden_ip", "prefer_ipv6", "ipv6_first",
    "dns_server", "nameserver", "verbose", "quiet",
})  # fmt: skip
# What cannot be ignored without sending traffic another way, or letting in somebody else: key to reason.
REFUSED = {
    "plugin": "plugins are not part of this version, and without its plugin the server cannot be reached",
    "users": "several users on one port need a 2022 method, which this version does not have",
    "acl": "access lists are not part of this version, and without one traffic would go other ways",
    "key": "a key instead of a password is not supported",
    "tunnel_remote": "tunnels are not part of this version",
    "tunnel_address": "tunnels are not part of this version",
}
# What can: key to what is done instead, if there is anything to say.
UNSUPPORTED = {
    "plugin_opts": "", "plugin_args": "", "plugin_mode": "", "tunnel_remote_port": "", "tunnel_port": "",
    "fast_open": "", "mptcp": "", "mtu": "", "reuse_port": "", "no_delay": "it is always on",
    "keep_alive": "it is always on", "workers": "one process serves all", "manager_address": "", "manager_port": "",
    "user": "the user who starts the program is the one it runs as", "daemon": "use the service manager",
    "pid-file": "use the service manager", "pid_file": "use the service manager",
    "log-file": "the log goes to standard error", "log_file": "the log goes to standard error", "log": "",
    "use_syslog": "the log goes to standard error", "nofile": "the limit is raised as far as it goes",
    "one_time_auth": "it was replaced by the AEAD methods", "auth": "it was replaced by the AEAD methods",
    "crypto_path": "", "libopenssl": "", "libmbedtls": "", "libsodium": "", "locals": "local_port gives the one port",
    "udp_timeout": "UDP comes later", "udp_max_associations": "UDP comes later", "dns": "", "vpn": "", "runtime": "",
    "balancer": "a server is chosen at random", "security": "", "protocol": "", "local_udp_address": "UDP comes later",
    "local_udp_port": "UDP comes later", "outbound_fwmark": "", "outbound_bind_addr": "", "outbound_bind_interface": "",
}  # fmt: skip
# Keys of one object in `servers`.
ENTRY_KEYS = frozenset({
    "server", "address", "server_port", "port", "password", "method", "remarks", "name", "id", "group", "disabled",
})  # fmt: skip
