"""The ground under the header's words: what counts for a server and against it, and for how long."""

from typing import Any

from ssgui.engine.stages import Reason, Role, Stage
from ssgui.services.connections.records import Connection
from ssgui.services.diagnosis.evidence import (
    Evidence,
    ServerEvidence,
    fell_silent,
    is_doubtful,
    is_suspect,
    judge,
)
from ssgui.services.diagnosis.outcomes import ANSWER_SECONDS, How, by_way, dialled_for, unanswered
from ssgui.services.diagnosis.server_facts import looks_made_up
from ssgui.services.diagnosis.strangers import Strangers, is_stranger

TOKYO = "Tokyo 1"


def one_of(number: int, stage: Stage = Stage.STREAM, **values: Any) -> Connection:
    one = Connection(number, number, "socks5", "192.0.2.9:5", 100.0, route="proxy", server=TOKYO, stage=stage)
    one.target = f"{number}.example.com:443"
    one.timeline = [(Stage.INIT, 100.0), (Stage.DNS, 100.5), (stage, 101.0)]
    for name, value in values.items():
        setattr(one, name, value)
    return one


def ended(number: int, reason: Reason, **values: Any) -> Connection:
    one = one_of(number, up=10, first_up=101.0, reason=reason, ended=102.0, **values)
    one.timeline.append((Stage.DESTROYED, 102.0))
    return one


def test_what_a_connection_says_about_its_server() -> None:
    assert unanswered(ended(1, Reason.NO_ANSWER)) is How.CLOSED
    assert unanswered(ended(1, Reason.NO_ANSWER, acked=7)) is How.CLOSED
    assert unanswered(ended(1, Reason.SERVER_RESET)) is How.RESET
    assert unanswered(ended(1, Reason.AUTH_FAILED)) is How.UNREADABLE
    assert unanswered(ended(1, Reason.CLOCK_SKEW)) is How.CLOCK
    late = ended(1, Reason.CLIENT_RESET)
    late.ended = 101.0 + ANSWER_SECONDS
    assert unanswered(late) is How.SILENT
    nothing = (
        ended(1, Reason.NO_ANSWER, acked=0),  # it never arrived
        ended(1, Reason.NO_ANSWER, down=1),
        ended(1, Reason.CLIENT_RESET),  # it did not wait
        ended(1, Reason.FINISHED),
        ended(1, Reason.CONNECT_REFUSED),
        ended(1, Reason.NO_ANSWER, timeline=[(Stage.INIT, 100.0), (Stage.UDP_ASSOC, 100.1)]),
    )
    assert [unanswered(one) for one in nothing] == [None] * len(nothing)
    assert dialled_for(ended(1, Reason.CONNECT_TIMEOUT)) == 1.5


def test_a_proxy_on_the_way_is_told_from_the_server() -> None:
    assert by_way(ended(1, Reason.CONNECT_REFUSED, detail="the proxy 127.0.0.1:9050 cannot be reached: refused"))
    assert by_way(ended(1, Reason.DENIED, detail="the proxy 127.0.0.1:9050 wants a password"))
    assert not by_way(ended(1, Reason.CONNECT_REFUSED))
    assert not by_way(ended(1, Reason.DENIED, detail="forbidden address", route="direct"))


def test_silence_counts_while_it_lasts() -> None:
    evidence = ServerEvidence()
    waiting = [one_of(number, up=10, first_up=100.0 + number, acked=50) for number in range(3)]
    for one in waiting:
        evidence.received(one, 10, 0, 101.0)
    found = evidence.of(TOKYO)
    assert not is_suspect(found, 100.0 + ANSWER_SECONDS)
    assert is_suspect(found, 103.0 + ANSWER_SECONDS)
    assert judge(TOKYO, found, 103.0 + ANSWER_SECONDS).count == 3
    waiting[0].acked = 0  # of that one nothing arrived: it says nothing
    assert not is_suspect(found, 103.0 + ANSWER_SECONDS)
    waiting[0].acked = 1
    evidence.received(waiting[1], 0, 1, 120.0)
    assert found.proven
    assert not is_suspect(found, 1000.0)


def test_what_was_read_before_there_was_a_way_counts_from_when_it_left() -> None:
    evidence = ServerEvidence()
    one = one_of(1, Stage.CONNECTING, up=10)
    evidence.received(one, 10, 0, 101.0)
    found = evidence.of(TOKYO)
    assert not found.silent(1000.0)
    one.stage, one.first_up = Stage.STREAM, 150.0
    assert not found.silent(159.0)
    assert found.silent(160.0) == [one]
    datagrams = one_of(2, Stage.UDP_ASSOC, up=10, first_up=101.0)
    evidence.received(datagrams, 10, 0, 101.0)
    assert found.silent(1000.0) == [one]


def test_connections_whose_end_was_missed_do_not_wait_for_ever() -> None:
    evidence = ServerEvidence()
    one = one_of(1, up=10, first_up=100.0)
    evidence.received(one, 10, 0, 101.0)
    one.ended = 102.0
    assert not evidence.of(TOKYO).silent(1000.0)
    assert not evidence.of(TOKYO).asked


def test_a_key_is_doubted_only_where_a_test_tells_something() -> None:
    def doubtful(**values: object) -> bool:
        evidence = Evidence(**values)  # type: ignore[arg-type]
        evidence.unanswered.extend([(100.0, How.CLOSED)] * 2)
        return is_doubtful(evidence, 101.0)

    assert doubtful()
    assert not doubtful(proven=True)
    assert not doubtful(tested=True)
    evidence = Evidence()
    evidence.asked[1] = one_of(1, up=10, first_up=100.0)
    assert not is_doubtful(evidence, 101.0)
    assert is_doubtful(evidence, 104.0)


def test_a_trial_counts_for_all() -> None:
    evidence = ServerEvidence()
    evidence.trying(TOKYO, 100.0)
    found = evidence.of(TOKYO)
    found.unanswered.extend([(99.0, How.CLOSED)] * 3)
    assert judge(TOKYO, found, 101.0).kind == "connecting"  # nobody is accused while it is under way
    evidence.tried(TOKYO, 105.0, Reason.NO_ANSWER, confirms=True)
    assert found.confirmed == 105.0
    assert judge(TOKYO, found, 106.0).kind == "suspicious"
    evidence.trying(TOKYO, 107.0)
    evidence.tried(TOKYO, 108.0, None)
    assert judge(TOKYO, found, 108.0).kind == "on"
    assert not found.unanswered
    assert found.confirmed is None


def test_a_server_that_fell_silent() -> None:
    evidence = Evidence(last_byte=100.0, proven=True, attempts=3)
    evidence.unanswered.extend([(150.0, How.RESET)] * 3)
    assert fell_silent(evidence, 159.0) is None  # it answered less than a minute ago
    assert fell_silent(evidence, 161.0) is Reason.SERVER_RESET
    evidence.unanswered.append((160.0, How.CLOSED))
    verdict = judge(TOKYO, evidence, 161.0)
    assert (verdict.kind, verdict.reason, verdict.count) == ("failing", Reason.NO_ANSWER, 4)


def test_a_change_of_network_forgets_what_was_and_not_that_the_key_is_good() -> None:
    evidence = ServerEvidence(lambda: 500.0)
    one = one_of(1)
    evidence.received(one, 0, 5, 100.0)
    evidence.closed(ended(2, Reason.CONNECT_REFUSED))
    evidence.outdated()
    found = evidence.of(TOKYO)
    assert (found.proven, found.last_byte, len(found.failures), found.heard) == (True, None, 0, {})
    evidence.forget(TOKYO)
    assert (evidence.of(TOKYO).proven, evidence.of(TOKYO).since) == (False, 500.0)
    evidence.forget("never seen")
    assert not evidence.knows("never seen")


def test_targets_are_remembered_and_bounded() -> None:
    evidence = ServerEvidence()
    for number in range(3000):
        evidence.received(one_of(number), 0, 1, 100.0 + number)
        evidence.received(one_of(number), 0, 1, 100.5 + number)  # the same second
    found = evidence.of(TOKYO)
    assert len(found.history) == len(found.heard) == 1024
    assert found.others("2999.example.com:443", 3090.0) == 9
    assert found.others("elsewhere:1", 3099.0) == 1
    assert found.others("elsewhere:1", 3000.0, 3010.0) == 11
    assert found.others("elsewhere:1", 0.0, 1000.0) == 0  # so long ago nobody remembers
    evidence.received(one_of(2999), 0, 1, 3100.5)
    assert found.others("elsewhere:1", 3100.0) == 1


def test_addresses_that_no_server_has() -> None:
    assert looks_made_up("ss.example.com", ["127.0.0.1"])
    assert looks_made_up("ss.example.com", ["0.0.0.0", "::1"])
    assert looks_made_up("ss.example.com", ["198.18.0.7"])  # what other proxies make up
    assert not looks_made_up("ss.example.com", ["192.168.1.7", "8.8.8.8"])
    assert not looks_made_up("ss.example.com", [])
    for host in ("127.0.0.1", "::1", "nas", "nas.local", "localhost"):
        assert not looks_made_up(host, ["127.0.0.1"])


def test_strangers_by_address() -> None:
    strangers = Strangers()
    for number in range(5):
        one = Connection(number, number, "shadowsocks", f"192.0.2.{number % 2}:99", 100.0, Role.SERVER)
        one.timeline, one.reason, one.ended = [(Stage.INIT, 100.0)], Reason.AUTH_FAILED, 100.0 + number
        assert is_stranger(one)
        strangers.closed(one)
    assert strangers.count("192.0.2.0", 110.0) == (3, 1)
    assert strangers.most(110.0) == ("192.0.2.0", 3)
    assert strangers.most(10_000.0) == ("", 0)
    friend = Connection(9, 9, "shadowsocks", "192.0.2.7:99", 100.0, Role.SERVER, reason=Reason.AUTH_FAILED)
    friend.timeline = [(Stage.INIT, 100.0), (Stage.DNS, 100.1)]
    assert not is_stranger(friend)
