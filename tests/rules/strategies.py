"""What hypothesis makes URLs, rules and expressions of: few parts, so that they meet."""

from hypothesis import strategies as st

LABEL = st.sampled_from(["a", "b", "ads", "ads1", "example", "com", "co", "uk", "x-y", "google", "constructor", "10"])
HOST = st.one_of(
    st.lists(LABEL, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["10.0.0.1", "8.8.8.8", "[2001:db8::1]", "[::1]", "1.2.3.4", "A.Example.COM", "a.com.", "é.com"]),
)
PATH = st.sampled_from(["/", "/a", "/a/b.gif?x=example.com", "?q", "/ads/", ""])
URL = st.builds(
    lambda scheme, host, port, path: f"{scheme}://{host}{port}{path}",
    st.sampled_from(["http", "https", "ws", "wss", "ftp"]), HOST, st.sampled_from(["", ":80", ":8080", ":443"]), PATH,
)  # fmt: skip
WILD = st.lists(
    st.sampled_from(["a", "ads*", "*", "*a", "example", "x*y", "google", "com"]), min_size=2, max_size=4
).map(".".join)
RULE = st.one_of(
    HOST.map("||{}".format), HOST.map("@@||{}".format), URL.map("|{}".format), URL.map("@@|{}".format), HOST, URL,
    LABEL.map("||{}*.com".format), LABEL.map("/{}[0-9]?\\.com/".format), LABEL.map("*{}*a".format),
    HOST.map("||{}/a".format), HOST.map("{}^".format), URL.map("{}|".format),
    WILD.map("||{}".format), WILD.map("@@||{}/a*b".format), WILD.map("|http://{}/".format), WILD.map("|http*://{}".format),
    WILD.map("|https://{}".format), WILD.map("||{}:8080".format), WILD.map("|ws://{}^a".format), WILD,
    st.sampled_from([r"/^https?:\/\/([^\/]+\.)*ads\d*\./", "/a|b/", "/(?!x)example/", "@@/^http:/", "||10.0.0.1",
                     "/^http://a.com/|^https://b.com/", r"/^http:\/\/[^\/]*\.com(?:[:\/?]|$)/", "/^http://a[/:]/"]),
)  # fmt: skip
GEO = st.lists(
    st.one_of(HOST.map("domain:{}".format), HOST.map("full:{}".format), LABEL.map("keyword:{}".format),
              LABEL.map(r"regexp:(^|\.){}\d*\.com$".format), LABEL.map(r"regexp:^{}\.".format),
              LABEL.map(r"regexp:\.{}\.[a-z]+$".format)), max_size=4,
)  # fmt: skip
PATTERN = st.lists(
    st.sampled_from(["a", "b", "-", ".", r"\.", "[ab]", "[^b]", "(", "(?:", "(?=", "(?!", ")", "|", "*", "+", "?",
                     "{2}", "{1,2}", "{", "}", "]", "^", "$", r"\w", r"\d", r"\b", "*?", "com", "/", r"\/",
                     r"\-", "{,2}"]),
    min_size=1, max_size=9,
).map("".join)  # fmt: skip
