"""The keys of classic configuration files, of the original and of its descendants, and what becomes of them."""

HONOURED = frozenset({
    "server", "server_port", "password", "port_password", "method", "servers", "users", "mode", "locals", "protocol",
    "local_address", "local_port", "timeout", "udp_timeout", "forbidden_ip", "prefer_ipv6", "ipv6_first", "fast_open",
    "mptcp", "dns_server", "nameserver", "acl", "plugin", "plugin_opts", "plugin_args", "outbound_proxy", "verbose",
    "quiet", "tunnel_address", "tunnel_remote", "tunnel_remote_port", "forward_address", "forward_port",
    "workers", "manager_address", "manager_port",
    # Our own.
    "metrics", "upstream_proxy", "choose", "probe_url", "bypass_lan", "allow_legacy", "segmented_header",
    # Of SIP008, and nothing to do with how it runs.
    "version", "bytes_used", "bytes_remaining",
})  # fmt: skip
_OTA = "One-Time Auth is gone: it was replaced by the AEAD methods, and no server that is kept up has it"
# What cannot be ignored without sending traffic another way, or letting in somebody else: key to reason.
REFUSED = {
    "key": "a raw key instead of a password is not supported",
    "one_time_auth": _OTA,
    "auth": _OTA,
}
# The same in one object of `servers`.
REFUSED_IN_ENTRY = REFUSED | {
    "acl": "one access list is for all servers: it stands beside the list",
    "outbound_proxy": "one upstream proxy is for all servers: it stands beside the list",
}
# What can: key to what is done instead, if there is anything to say.
UNSUPPORTED = {
    "tunnel_port": "local_port is the port", "mtu": "", "udp_mtu": "", "reuse_port": "",
    "udp_max_associations": "512 of a client and 4,096 of a server, the oldest makes room",
    "user": "the user who starts the program is the one it runs as", "daemon": "use the service manager",
    "pid-file": "use the service manager", "pid_file": "use the service manager",
    "log-file": "the log goes to standard error", "log_file": "the log goes to standard error",
    "log": "-v and -q say how much is logged", "use_syslog": "the log goes to standard error",
    "nofile": "the limit is raised as far as it goes", "runtime": "", "security": "", "vpn": "",
    "crypto_path": "", "libopenssl": "", "libmbedtls": "", "libsodium": "",
    "dns": "dns_server takes addresses of name servers", "dns_cache_size": "",
    "balancer": '"choose": "auto" measures the servers', "online_config": "",
    "local_udp_address": "UDP has the port of TCP", "local_udp_port": "UDP has the port of TCP",
    "ipv6_only": "", "outbound_fwmark": "", "outbound_user_cookie": "", "outbound_bind_addr": "",
    "outbound_bind_interface": "", "outbound_udp_allow_fragmentation": "", "inbound_udp_allow_fragmentation": "",
}  # fmt: skip
# What is always so: key to the values that ask for it.
ALWAYS = {"no_delay": "it is always on", "keep_alive": "it is always on, with the times of the system"}
# Keys of one object in `servers`.
ENTRY_KEYS = frozenset({
    "server", "address", "server_port", "port", "password", "method", "remarks", "name", "id", "group", "disabled",
    "plugin", "plugin_opts", "plugin_args", "users", "mode",
})  # fmt: skip
# Keys of one object in `locals`, of the kinds of proxy that our one port speaks.
LOCAL_KEYS = frozenset({"local_address", "local_port", "mode", "protocol", "disabled"})
REFUSED_IN_LOCAL = {
    "acl": "one access list is for all: it stands beside the list",
    "socks5_auth_config_path": "--user and --pass say who may use the proxy",
    "http_auth_config_path": "--user and --pass say who may use the proxy",
}
LOCAL_PROTOCOLS = ("socks", "http")
