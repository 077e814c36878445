"""What a supervisor and its workers say to each other, and lines that several write to one stream."""

import asyncio
import socket
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.app.events.line_writer import LineWriter
from ssgui.app.events.whole_lines import PIECE, pieces
from ssgui.app.server.channel import MOST, Change, Channel, Count, End, Failed, Served, pack, unpack
from ssgui.app.server.worker_link import FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS, WorkerGone, WorkerLink, served
from ssgui.config.models import ServerSettings, ServerUser
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError
from ssgui.engine.changes import Difference
from ssgui.engine.errors import BindError
from ssgui.rules.acl import parse_acl


def test_settings_arrive_as_they_were() -> None:
    acl = parse_acl("[outbound_block_list]\n||example.com\n^ads\\.\n10.0.0.0/8\n", "an acl")
    users = (ServerUser("ann", Secret("k")),)
    one = ServerSettings("h", 1, "m", Secret("p"), forbidden=(ip_network("::1"),), users=users, acl=acl)
    found = unpack(pack(Change((one, one))))
    assert isinstance(found, Change)
    two = found.wanted[0]
    assert two.acl is not None
    assert two == one
    assert found.wanted[1].acl is two.acl, "a list is sent once, however many ports it is for"
    again = unpack(pack(Change((one,))))
    assert isinstance(again, Change)
    assert again.wanted[0].acl is two.acl, "and read once, however often it comes"
    assert two.acl.outbound("www.example.com") == acl.outbound("www.example.com")
    assert two.acl.outbound("ads.example.org") == acl.outbound("ads.example.org")
    for request in (Count(), End(None), End(2.0)):
        assert unpack(pack(request)) == request


def test_a_change_that_fails_says_which_way() -> None:
    answer = Served(Difference(1, 2, 3, 4), [("h", 1)])
    assert served(msgspec.json.encode(answer)) == answer
    with pytest.raises(BindError, match="cannot listen on UDP h:53: Permission denied") as caught:
        served(msgspec.json.encode(Failed("Permission denied", "h", 53, 13, udp=True)))
    assert not caught.value.in_use
    with pytest.raises(ConfigError, match=r"^no such thing$"):
        served(msgspec.json.encode(Failed("no such thing")))


async def link() -> tuple[WorkerLink, Channel]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    worker = WorkerLink(1)
    worker.born(4242, ours, 0.0)
    return worker, Channel(*await asyncio.open_connection(sock=theirs))


async def test_answers_find_their_questions() -> None:
    worker, other = await link()
    starting = asyncio.ensure_future(worker.first_answer(10))
    await other.send(0, msgspec.json.encode(Served(Difference(0, 0, 1, 0), [("h", 1)])))
    assert (await starting).addresses == [("h", 1)]
    asking = [asyncio.ensure_future(worker.ask(Count(), 10)) for _ in range(2)]
    numbers = [(await other.receive())[0] for _ in range(2)]
    for number in reversed(numbers):
        await other.send(number, b"%d" % number)
    await other.send(999, b"nobody asked")
    assert [await one for one in asking] == [b"1", b"2"]
    hanging = asyncio.ensure_future(worker.ask(Count(), 10))
    await other.receive()
    other.close()
    await worker.gone()
    with pytest.raises(WorkerGone):
        await hanging
    with pytest.raises(WorkerGone):
        await worker.ask(Count(), 10)
    assert not await worker.end(0)


async def test_one_that_does_not_answer_is_not_waited_for() -> None:
    worker, other = await link()
    starting = asyncio.ensure_future(worker.first_answer(0.05))
    with pytest.raises(TimeoutError):
        await starting
    other.close()
    await worker.gone()
    with pytest.raises(WorkerGone):
        await worker.first_answer(1)


async def test_one_that_ends_before_it_was_heard() -> None:
    worker, other = await link()
    other.close()
    await worker.gone()
    assert worker.pid == 0


async def test_a_message_without_measure_is_refused() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(*await asyncio.open_connection(sock=ours))
        theirs.sendall((MOST + 1).to_bytes(4, "big") + bytes(4))
        with pytest.raises(EOFError):
            await channel.receive()
        channel.close()


def test_pauses_grow_and_begin_anew_after_a_steady_life() -> None:
    worker, now, pauses = WorkerLink(1), 0.0, []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for _ in range(9):
            worker.born(1, ours, now)
            pauses.append(worker.next_pause(now + 1))
        assert pauses[:4] == [FIRST_PAUSE, 1, 2, 4]
        assert pauses[-1] == LONGEST_PAUSE
        worker.born(1, ours, now)
        assert worker.next_pause(now + STEADY_SECONDS + 1) == FIRST_PAUSE


@given(st.lists(st.integers(0, 2 * PIECE), max_size=40))
def test_pieces_are_whole_lines(sizes: list[int]) -> None:
    lines = [bytes([97 + number % 26]) * size + b"\n" for number, size in enumerate(sizes)]
    found = list(pieces(b"".join(lines)))
    assert b"".join(found) == b"".join(lines)
    assert all(piece.endswith(b"\n") for piece in found)
    assert all(len(piece) <= PIECE or piece.count(b"\n") == 1 for piece in found)


def test_lines_of_several_writers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = [f"{letter * size}\n" for letter in "ab" for size in (1, 1000, PIECE - 1, PIECE + 5, 30)]
    with path.open("a") as one, path.open("a") as other:
        writers = {"a": LineWriter(one, "a"), "b": LineWriter(other, "b")}
        for _ in range(20):
            for line in lines:
                assert writers[line[0]].write(line)
        assert all(writer.close(10) for writer in writers.values())
    assert sorted(path.read_text().splitlines(keepends=True)) == sorted(lines * 20)
