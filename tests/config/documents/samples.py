"""One small document of every format, made by hand."""

import json
import plistlib
from base64 import b64encode

LINK = "ss://YWVzLTEyOC1nY206dGVzdA@192.0.2.1:8388#one"
OTHER = "ss://YWVzLTEyOC1nY206dGVzdA@192.0.2.2:8388#two"


def as_json(tree: object) -> bytes:
    return json.dumps(tree, indent=2).encode()


GUI_CONFIG = as_json({
    "version": "4.4.1.0",
    "configs": [
        {"server": "", "server_port": 8388, "password": "", "method": "aes-256-cfb", "remarks": ""},
        {"server": "example.com", "server_port": "8388", "password": "pw", "method": "chacha20-ietf-poly1305",
         "remarks": "HK 1", "group": "https://sub.example/x", "timeout": 5, "warnLegacyUrl": False},
        {"server": "192.0.2.3", "server_port": 443, "password": "pw", "method": "aes-256-cfb",
         "plugin": "plugins\\obfs-local.exe", "plugin_opts": "obfs=tls", "plugin_args": "-v \"a b\""},
        {"server": "192.0.2.4 abcd", "server_port": 443, "password": "pw", "method": "aes-256-gcm"},
        {"server": "EXAMPLE.com", "server_port": 8388, "password": "pw", "method": "chacha20-ietf-poly1305"},
        {"server": "192.0.2.5", "server_port": 70000, "password": "hunter2", "method": "aes-256-gcm"},
    ],
    "onlineConfigSource": ["https://sub.example/x"], "strategy": None, "index": 1, "global": False, "enabled": True,
    "shareOverLan": True, "localPort": 1081, "pacUrl": "https://pac.example/", "proxy": None, "logViewer": None,
    "hotkey": {"SwitchSystemProxy": "Ctrl+F1", "RegHotkeysAtStartup": False},
})  # fmt: skip
SIP008 = as_json({
    "version": 1,
    "servers": [
        {"id": "27b8a625-4f4b-4428-9f0f-8a2317db7c79", "remarks": "one", "server": "example.com", "server_port": 8388,
         "password": "example", "method": "chacha20-ietf-poly1305", "plugin": "", "plugin_opts": "", "x_tier": "gold"},
    ],
    "bytes_used": 1, "bytes_remaining": 2, "x_custom": True,
})  # fmt: skip
NG = {
    "ServerProfiles": [
        {"Id": "A", "ServerHost": "192.0.2.1", "ServerPort": 8388, "Method": "aes-128-gcm", "Password": "test",
         "Remark": "one", "Plugin": "", "PluginOptions": ""},
        {"Id": "B", "ServerHost": "2001:db8::1", "ServerPort": 443, "Method": "rc4-md5", "Password": "test",
         "Remark": "two", "Plugin": "v2ray-plugin", "PluginOptions": "tls;host=h.example"},
    ],
    "ActiveServerProfileId": "B", "ShadowsocksOn": True, "ShadowsocksRunningMode": "auto",
    "LocalSocks5.ListenPort": 1086, "LocalSocks5.EnableUDPRelay": True, "GFWListURL": "https://list.example/",
    "LocalHTTP.ListenPort": 1087, "NSWindow Frame x": "0 0 1 1",
}  # fmt: skip
NG_XML = plistlib.dumps(NG)
NG_BINARY = plistlib.dumps(NG, fmt=plistlib.FMT_BINARY)
CLASSIC = b"""{
    // a comment of shadowsocks-rust
    "server": ["192.0.2.1", "192.0.2.2:99"],
    "server_port": 8388, "password": "test", "method": "aes-128-gcm",
    "local_port": 1082, "mode": "tcp_and_udp", "fast_open": true,
}
"""
CLASSIC_PORTS = as_json({
    "server": "192.0.2.1", "port_password": {"1": "a", "2": "b", "x": "c"}, "method": "aes-128-gcm",
})  # fmt: skip
CLASSIC_SERVERS = as_json({
    "servers": [
        {"address": "192.0.2.1", "port": 1, "password": "a", "method": "aes-128-gcm", "disabled": True},
        {"address": "192.0.2.1", "port": 2, "password": "short", "method": "2022-blake3-aes-128-gcm"},
        "x",
    ],
    "locals": [{"local_port": 1083}, {"local_port": 1084}], "local_address": "127.0.0.1",
    "online_config": {"config_url": "https://sub.example/y"},
})  # fmt: skip
ANDROID = as_json([
    {"server": "192.0.2.1", "server_port": 8388, "password": "test", "method": "aes-128-gcm", "remarks": "one",
     "route": "all", "remote_dns": "dns.example", "ipv6": True, "metered": False,
     "proxy_apps": {"enabled": False, "bypass": True, "android_list": ["a.b"]}, "udpdns": False},
    {"server": "192.0.2.2", "server_port": 8388, "method": "aes-128-gcm", "route": "all"},
])  # fmt: skip
OUTLINE = as_json(
    {"server": "192.0.2.1", "server_port": 443, "password": "test", "method": "aes-128-gcm", "prefix": "\x16\x03"}
)
OUTLINE_YAML = b"""transport:
  $type: tcpudp
  tcp: &way
    $type: shadowsocks
    endpoint: "[2001:db8::1]:443"
    cipher: chacha20-ietf-poly1305
    secret: test
    prefix: "POST "
  udp: *way
"""
OUTLINE_ERROR = b"error:\n  message: Quota is used up.\n  details: See https://help.example/\n"
CLASH = """mixed-port: 7890
allow-lan: false
mode: rule
proxies:
  - {name: "\u9999\u6e2f", type: ss, server: 192.0.2.1, port: 443, cipher: aes-128-gcm, password: 0123, udp: true}
  - name: obfs
    type: ss
    server: h.example
    port: 443
    cipher: chacha20-ietf-poly1305
    password: !<str> 1e5
    plugin: obfs
    plugin-opts: {mode: tls, host: bing.example}
  - name: ws
    type: ss
    server: h.example
    port: 444
    cipher: aes-128-gcm
    password: yes
    plugin: v2ray-plugin
    plugin-opts: {mode: websocket, tls: true, host: h.example, path: "/a;b", mux: false, skip-cert-verify: true}
  - {name: vm, type: vmess, server: h.example, port: 1, uuid: x}
  - {name: st, type: ss, server: h.example, port: 2, cipher: aes-128-gcm, password: p, plugin: shadow-tls}
proxy-providers:
  mine: {type: http, url: "https://sub.example/z"}
rules:
  - MATCH,DIRECT
""".encode()
LINKS = f"my servers:\n{LINK}\n{OTHER}\nssr://abc\nssconf://sub.example/k#mine\n".encode()
PACKED = b64encode(f"{LINK}\n{OTHER}\n".encode())
OWN = as_json({
    "version": 1, "current": "b", "settings": {"mode": "rules", "local_port": 1090, "theme": "dark"},
    "servers": [
        {"id": "a", "server": "192.0.2.1", "server_port": 1, "method": "aes-128-gcm", "sealed": "xyz"},
        {"id": "b", "server": "192.0.2.1", "server_port": 2, "method": "aes-128-gcm", "password": "pw", "udp": False},
    ],
    "subscriptions": [{"id": "s", "url": "https://sub.example/w"}], "agreed_plugins": [],
})  # fmt: skip
JSON_LINES = (
    b'{"server": "192.0.2.1", "server_port": 1, "method": "aes-128-gcm", "password": "a"}\n'
    b'{"server": "192.0.2.1", "server_port": 2, "method": "aes-128-gcm", "password": "a"}\n{"server": \n'
)
ELSEWHERE = as_json({
    "code": 0, "data": {"nodes": [
        {"server": "192.0.2.1", "port": "1", "method": "aes-128-gcm", "password": "a", "name": "n"},
        {"type": "vmess", "server": "192.0.2.1", "port": 2},
        {"server": "192.0.2.2", "port": 3, "method": "aes-128-gcm", "password": "a", "one_time_auth": True},
    ]},
})  # fmt: skip
ALL = {
    "gui-config": GUI_CONFIG, "sip008": SIP008, "ng-xml": NG_XML, "ng-binary": NG_BINARY, "classic": CLASSIC,
    "ports": CLASSIC_PORTS, "servers": CLASSIC_SERVERS, "android": ANDROID, "outline": OUTLINE,
    "outline-yaml": OUTLINE_YAML, "outline-error": OUTLINE_ERROR, "clash": CLASH, "links": LINKS, "packed": PACKED,
    "own": OWN, "lines": JSON_LINES, "elsewhere": ELSEWHERE,
}  # fmt: skip
