"""Sentences that come from below the window, in the language of the window.

Importers, plugins and tests of servers give their reasons in English: logs and commands need them so. The known ones
are translated here, at the edge; `{...}` stands for what is filled in, and may be a known sentence itself.
"""

import re
from functools import lru_cache

from ssgui.gui.texts import tr as translate


def tr(text: str) -> str:
    """Marks a sentence as one that is translated: `text` itself, so that it can be recognised."""
    return text


_SENTENCES = (
    # places in documents
    tr("entry {number}"),
    tr("link {number} (line {line})"),
    tr("link {number}"),
    tr("line {line}"),
    # what is wrong with a document
    tr("it is empty"),
    tr("it is a web page, or other XML"),
    tr("it is a picture; QR codes in pictures are not read here"),
    tr("it is full of zero bytes: it was lost when the computer went down; look for a backup of it"),
    tr("there is no server in it: no link, and no format that is known"),
    tr("there is no server in it ({format})"),
    tr("too large for a list of servers (more than {size} MiB)"),
    tr("there are more than {count} servers"),
    tr("there are more than {count} links, the rest is not read"),
    tr("not UTF-8: byte {number}"),
    tr("line {line}, column {column}: {what}"),
    # what is wrong with one server
    tr("it is no object"),
    tr("it is no link"),
    tr("it has no server address"),
    tr("there is no server address in it"),
    tr("it has no port"),
    tr("the port is missing"),
    tr("its port is not one of 1 to 65535"),
    tr("{text} is no port ({low} to {high})"),
    tr("{text} is no host name or address"),
    tr("its server address is no host name or address"),
    tr("it has no method"),
    tr("there is no method in it"),
    tr("there is no method and password in it"),
    tr("it has no password"),
    tr("there is no password in it"),
    tr("its password is sealed with the system's keyring"),
    tr("its plugin has no name"),
    tr("its plugin, or an option of it, is no proper text"),
    tr("its plugin {plugin} is one of Clash alone and cannot be started"),
    tr("what should be base64 is not"),
    tr("it has characters that are not UTF-8"),
    tr("it asks for One-Time Auth (OTA), which the AEAD methods replaced"),
    tr("servers of the type {kind} are not supported, only ss"),
    tr("servers of the type {kind} are not supported, only Shadowsocks"),
    tr("links that begin with {scheme} are not supported, only ss://"),
    tr("it is a web address, not the link of a server"),
    tr("{key} {value}: it is no server of Shadowsocks (of ShadowsocksR, perhaps)"),
    tr("the transport {name} is not supported"),
    # passwords
    tr("the password is empty"),
    tr("the password is empty; {what}"),
    tr("{what} is no base64; {more}"),
    tr("the password"),
    tr("{what} has {count} bytes; {more}"),
    tr("key {number} of the {count} in the password"),
    tr("{method} needs a key of {size} bytes in base64, as `openssl rand -base64 {again}` makes it"),
    tr("{method} takes one key: only the AES methods of 2022 have users"),
    # subscriptions
    tr("this is no web address"),
    tr("this is no https address"),
    tr("http is not encrypted: anybody on the way could read and change the list; use https"),
    tr("the list is empty"),
    tr("the list cannot be read: {why}"),
    tr("none of its servers can be used: {why}"),
    tr("{host} cannot be reached: {why}"),
    tr("{host} answers nonsense ({what})"),
    tr("{host} answers {status}"),
    tr("{host} is too slow: more than {seconds} s"),
    tr("the list of {host} is larger than {size} MiB"),
    tr("{host} sends from one address to the next without end"),
    tr("it does not answer"),
    tr("its certificate is not to be trusted"),
    # lists of rules
    tr("it is a web page, not a list"),
    tr("it is not text, and not a dlc.dat"),
    tr("it has {count} lists in it: say which"),
    tr("no rule in it is understood"),
    tr("no rule in it is understood: {why}"),
    tr("there is no list {name} in it"),
    tr("it is cut off"),
    tr("it is damaged, or something else"),
    tr("it has {now} rules, the last one had {before}"),
    tr("the PAC would have {bytes} bytes, more than {most}: the list {name} is too big"),
    tr("our own port does not listen, and lists are not fetched past it"),
    tr("it cannot be kept: {why}"),
    tr("its file cannot be read: {why}"),
    tr("{file} cannot be written: {why}"),
    tr("{file} cannot be read: {why}"),
    tr("more than {size} MiB of rules"),
    tr("more than {size} MiB"),
    tr("your rules were changed in their file meanwhile: look at them before you save"),
    # what ssgui is in the system
    tr("{file} cannot be removed: {why}"),
    tr("{file} cannot be changed: {why}"),
    tr("this desktop keeps another program for ss:// links; its own settings say which"),
    tr("Windows denies access to the registry's {key}: {why}"),
    tr("Windows does not keep ssgui among the programs that start at login"),
    tr("Windows does not keep ssgui as the program for ss:// links"),
    tr("Windows does not list the apps from the store: error {number}"),
    tr("Windows does not tell which apps may connect to this computer: error {number}"),
    tr("Windows does not change which apps may connect to this computer: error {number}"),
    tr("Windows does not let all apps from the store connect to this computer"),
    tr("there are no apps from the store"),
    tr("it takes an administrator's rights, and they were not given"),
    tr("it takes an administrator's rights, and Windows did not ask for them: error {number}"),
    tr("the program with an administrator's rights does not come to an end"),
    # one rule
    tr("there is no host"),
    tr("what is in the local network is always direct"),
    tr("this is no name that a rule can have"),
    tr("your exception in line {line} decides first: {rule}"),
    tr("longer than {count} characters"),
    tr("it hides parts of pages, which is for ad blockers"),
    tr("{option} is an option for ad blockers"),
    tr("it never matches: of an https URL only the host is known to a PAC"),
    tr("it never matches: of an https URL only the host is known to a PAC: write {rule}"),
    tr("an exception from nothing"),
    tr("an exception from an exception"),
    tr("the length of a prefix is 0 to {most}"),
    tr("not an address"),
    tr("a class of characters is not closed"),
    tr("more than {limit} regular expressions: {surplus} are left out from here on"),
    tr("nothing to repeat before {char}"),
    tr("{text} after {repeat} is not understood by browsers"),
    tr("an empty class of characters"),
    tr("classes like [:alpha:] are not known to browsers"),
    tr("{text} in a class of characters"),
    tr("it may take for ever on some addresses: too many ways to repeat"),
    tr("not a host name"),
    tr("names come in Punycode (xn--...), of which a wildcard cannot be a part"),
    tr("a URL begins with its scheme: write ||example.com, or |http://example.com"),
    tr("it never matches: what is behind # never leaves a browser"),
    tr("it never matches: text is looked for in http: URLs only; write ||example.com"),
    tr("it would match everything"),
    tr("a URL has no spaces and no control characters"),
    tr("only ASCII can be matched: names come in Punycode"),
    tr("not a regular expression that is understood: {why}"),
    tr("a group is not closed"),
    tr("a group is closed that was not opened"),
    tr("nothing to repeat before {text}"),
    tr("a repeat of what takes nothing"),
    tr("a repeat of more than {count} times"),
    tr("a repeat of a repeat, or of a choice, may take for ever on some addresses"),
    tr("{text} means different things, or nothing, in browsers and here"),
    tr("{text} after {other} is not understood by browsers"),
    tr("it ends in a backslash"),
    tr("too long when its repeats are written out"),
    tr("more than one word"),
    tr("{text} is no kind of rule that is known here"),
    # filters
    tr("{text} is nothing that is measured: write age, wait, up, down or rate"),
    tr("{text} is no duration: write 30s or 5min"),
    tr("{text} is no size: write 500kB or 1MB"),
    tr("{text} is no number"),
    tr("{text} is no port"),
    tr("{text} is looked for without a regular expression"),
    tr("there is no stage {text}"),
    tr("there is no reason {text}"),
    tr("there is no route {text}: write proxy, direct or reject"),
    tr("a regular expression ends with /"),
    tr("this expression takes too long"),
    # tests of servers, and plugins
    tr("no connection within {seconds} s"),
    tr("no answer within {seconds} s"),
    tr("what answers is not HTTP"),
    tr("what answers does not say what time it is"),
    tr("the server ended the connection without an answer"),
    tr("the server reset the connection"),
    tr("failed; the log has the error"),
    tr("the proxy does not listen"),
    tr("timed out"),
    tr("no answer from DNS within {seconds} s"),
    tr("does not resolve: {why}"),
    tr("no address"),
    tr("{host} does not resolve: {why}"),
    tr("cannot listen on {place}: {why}"),
    tr("Connection refused"),
    tr("Connection reset by peer"),
    tr("Connection timed out"),
    tr("Name or service not known"),
    tr("Temporary failure in name resolution"),
    tr("Address already in use"),
    tr("Network is unreachable"),
    tr("No route to host"),
    tr("No space left on device"),
    tr("Permission denied"),
    tr("Read-only file system"),
    tr("No such file or directory"),
    tr("{plugin} may not be started yet: use the server, and allow it"),
    tr("the plugin {plugin} is not there: no such program in PATH"),
    tr("the plugin {plugin} cannot be started: {why}"),
    tr("the plugin {plugin} ended with {what}"),
    tr("the plugin {plugin} does not listen within {seconds} s"),
    tr("the proxy {address} cannot be reached: {why}"),
    # clocks
    tr("the client's clock is {time} behind"),
    tr("the client's clock is {time} ahead"),
    tr("your clock is {time} behind the server's"),
    tr("your clock is {time} ahead of the server's"),
    tr("{count} s"),
    tr("{count} min"),
    tr("{count} h"),
    tr("{count} days"),
    # the settings file
    tr("{file} could not be read ({why})"),
    tr("it is kept as {file}"),
    tr("restored the copy of {time}"),
    tr("{file} was missing; {what}"),
    tr("the file is empty"),
    tr("the file is full of zero bytes"),
    tr("written by a newer version; what this one does not know is kept"),
    tr("{what} cannot be used: {why}"),
    tr("settings cannot be saved in {folder}: {why}"),
    tr("{folder} cannot be written to ({why}): nothing is kept"),
    tr("{name}: its password was sealed with another key of the keyring, or is damaged"),
    # the history
    tr("{file} was damaged ({why}); it is kept as {other}"),
    tr("a newer version wrote it: {why}"),
    tr("its version is {number}, ours {count}"),
    tr("it is left alone"),
    tr("it is damaged and cannot be set aside: {why}"),
    tr("another program reads it: names are still in its log"),
    tr("database or disk is full"),
    tr("disk I/O error"),
    tr("database is locked"),
    tr("unable to open database file"),
    tr("attempt to write a readonly database"),
    tr("file is not a database"),
    tr("database disk image is malformed"),
)
_JOINTS = {"; ": tr("{first}; {rest}"), ": ": tr("{first}: {rest}")}
_FIELD = re.compile(r"\\{(\w+)\\}")
_NUMBERS = {"number", "line", "column", "count", "seconds", "size", "low", "high", "again"}
_MOST_LETTERS = 400
_DEEPEST = 4


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The longest first: the more of a sentence is fixed, the surer it is that it is that one."""
    ordered = sorted(_SENTENCES, key=lambda text: len(_FIELD.sub("", re.escape(text))), reverse=True)
    return [(re.compile(_FIELD.sub(_group, re.escape(text)), re.DOTALL), text) for text in ordered]


def _group(field: re.Match[str]) -> str:
    return rf"(?P<{field[1]}>\d+(?:\.\d+)?)" if field[1] in _NUMBERS else f"(?P<{field[1]}>.+?)"


def reason(text: str) -> str:
    """`text` in the language of the window, as far as it is known; otherwise as it is."""
    if translate("it is empty") == "it is empty" or len(text) > _MOST_LETTERS:
        return text
    return _translated(text, 0)


def _translated(text: str, depth: int) -> str:
    if depth > _DEEPEST:
        return text
    for pattern, template in _patterns():
        if match := pattern.fullmatch(text):
            parts = {name: _translated(part, depth + 1) for name, part in match.groupdict().items()}
            return translate(template).format_map(parts)
    for mark, joint in _JOINTS.items():
        head, found, tail = text.partition(mark)
        if found:
            first, rest = _translated(head, depth + 1), _translated(tail, depth + 1)
            if (first, rest) != (head, tail):
                return translate(joint).format(first=first, rest=rest)
    return text
