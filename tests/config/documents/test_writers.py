"""What is written for other programs: read again, it is the same; what has no place in it is said."""

import json
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.documents import ImportedServer, read_document
from ssgui.config.documents.writers import WRITERS, json_text
from ssgui.config.models import PluginSettings, ServerProfile
from ssgui.config.secret import Secret

UUID = "27b8a625-4f4b-4428-9f0f-8a2317db7c79"


def make_id() -> str:
    return "00000000-0000-4000-8000-000000000000"


def server(port: int = 1, method: str = "aes-128-gcm", remarks: str = "") -> ServerProfile:
    return ServerProfile("h.example", port, method, Secret("pw"), remarks)


def test_ids_of_sip008() -> None:
    servers = [
        ImportedServer(server(1), UUID), ImportedServer(server(2), UUID), ImportedServer(server(3), "mine"),
        ImportedServer(server(4)), ImportedServer(server(5), custom={"x": [1], "server": "no", "id": "no"}),
    ]  # fmt: skip
    numbers = count()
    written = WRITERS["sip008"](servers, lambda: f"new {next(numbers)}")
    entries = json.loads(written.text)["servers"]
    assert [entry["id"] for entry in entries] == [UUID, "new 0", "new 1", "new 2", "new 3"]
    assert [note.split(":")[0] for note in written.notes] == ["server 2 (h.example", "server 3 (h.example"]
    assert (entries[4]["x"], entries[4]["server"]) == ([1], "h.example")


def test_what_has_no_place_is_said() -> None:
    plugin = PluginSettings("p", "o", ("a",))
    odd = ImportedServer(
        ServerProfile("h", 1, "2022-blake3-aes-128-gcm", Secret("x"), "", plugin), "", "group", {"x": 1}
    )
    said = {name: " ".join(write([odd, odd], make_id).notes) for name, write in WRITERS.items()}
    for word in ("arguments", "group", "custom"):
        assert word in said["links"]
    for word in ("custom", "2022", "one address and port"):
        assert word in said["gui-config"]
    assert not said["sip008"]


def test_json_for_people() -> None:
    assert json_text({"a": "\u9999\u202e\x85\U000e0001"}) == '{"a": "\u9999\\u202e\\u0085\\udb40\\udc01"}'
    assert json_text([1], indent=1) == "[\n 1\n]"


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
PLUGINS = st.builds(
    PluginSettings, WORDS.map(str.strip).filter(lambda text: text and text.lower() != "none"), WORDS.map(str.strip),
)  # fmt: skip
PROFILES = st.builds(
    ServerProfile,
    st.sampled_from(["h.example", "192.0.2.1", "2001:db8::1", "fe80::1%eth0", "\u4f8b.example"]),
    st.integers(1, 65535),
    st.sampled_from(["aes-128-gcm", "chacha20-ietf-poly1305", "2022-blake3-aes-256-gcm", "rc4-md5", "odd"]),
    WORDS.filter(lambda text: bool(text) and not text.startswith("${")).map(Secret),
    WORDS.map(str.strip),
    st.none() | PLUGINS,
)


@pytest.mark.parametrize("form", WRITERS)
@given(profiles=st.lists(PROFILES, min_size=1, max_size=4, unique_by=lambda one: (one.host, one.port)))
def test_what_is_written_is_read(form: str, profiles: list[ServerProfile]) -> None:
    written = WRITERS[form]([ImportedServer(profile) for profile in profiles], make_id)
    assert read_document(written.text.encode()).profiles == tuple(profiles)
