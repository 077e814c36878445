"""Strangers' words made fit for one line: names of hosts, remarks and rules come from outside."""

import re

# Control characters; what turns the direction of text around, so that a name reads backwards or eats what stands
# beside it; what ends a line elsewhere; halves of characters, which no file can hold.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")


def harmless(text: str) -> str:
    """`text` with a replacement character for what no line of a window, a terminal or a file may have."""
    return _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text)
