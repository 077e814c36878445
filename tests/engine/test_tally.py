"""What is counted of ports, by one process and by several."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from ssgui.engine.stages import Reason
from ssgui.engine.tally import PortSample, Sample, Tally, counters_only, port_name, sample, total
from tests.engine.udp_world import UDPWorld
from tests.engine.world import World, until

Play = Callable[..., None]
COUNTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 9), max_size=3)
PAIRS = st.dictionaries(st.sampled_from(["", "ann"]), st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=2)
PORTS = st.builds(PortSample, COUNTS, st.integers(0, 9), COUNTS, COUNTS, COUNTS, COUNTS, PAIRS)
SAMPLES = st.builds(Sample, st.dictionaries(st.sampled_from(["x:1", "x:2"]), PORTS, max_size=2), st.integers(0, 9))


def test_what_an_engine_says(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, udp, target = await world.server(udp=True), UDPWorld(world), await world.echo()
        client = await world.client(server.address, udp=True)
        reader, writer = await world.connect(client, *target, b"12345")
        await reader.readexactly(5)
        program, origin = await udp.program(client), await udp.echo()
        assert await program.ask(b"datagram", origin.address) == b"datagram"
        port = sample(server.engine).ports[server.name]
        assert (port.stages, port.associations, port.carried) == ({"STREAM": 1}, 1, (13, 13))
        stranger = await world.open(server.address)
        stranger[1].write(bytes(100))
        (await udp.peer()).send(bytes(100), server.address)
        await until(lambda: server.tally.refused)
        await until(lambda: server.tally.ended)
        found = sample(server.engine)
        assert found.drain == 1
        assert found.ports[server.name].ended == {"auth-failed": 1}
        assert found.ports[server.name].refused == {"auth-failed": 1}
        writer.write_eof()
        await until(lambda: server.tally.ended.get(Reason.FINISHED))
        await server.engine.stop(0)
        port = sample(server.engine).ports[server.name]
        assert (port.stages, port.associations, port.parted) == ({}, 0, {"shutdown": 1})
        assert port.carried == (13, 13)
        assert sample(client.engine).ports[client.name].ended == {"finished": 1}

    play(scenario)


def test_names_of_ports() -> None:
    assert port_name(("0.0.0.0", 1)) == "0.0.0.0:1"
    assert port_name(("::", 1)) == "[::]:1"


def test_users_are_told_apart() -> None:
    tally = Tally()
    for user, up, down in (("ann", 1, 2), ("bob", 3, 4), ("ann", 10, 20)):
        tally.end(Reason.FINISHED, user, up, down)
    assert tally.users == {"ann": (11, 22), "bob": (3, 4)}
    assert tally.ended == {Reason.FINISHED: 3}


@given(st.lists(SAMPLES, max_size=4))
def test_a_total_is_the_sum_of_its_parts(samples: list[Sample]) -> None:
    found = total(samples)
    assert found.drain == sum(one.drain for one in samples)
    for name in ("x:1", "x:2"):
        parts = [one.ports[name] for one in samples if name in one.ports]
        port = found.ports.get(name, PortSample())
        for field in ("stages", "ended", "parted", "refused", "dropped"):
            for key in ("a", "b", "c"):
                assert getattr(port, field).get(key, 0) == sum(getattr(part, field).get(key, 0) for part in parts)
        assert port.associations == sum(part.associations for part in parts)
        assert port.carried == tuple(map(sum, zip((0, 0), *(part.carried for part in parts), strict=True)))
    again = total([found])
    assert again == found


@given(SAMPLES)
def test_of_a_process_that_ended_nothing_is_open(one: Sample) -> None:
    left = counters_only(one)
    assert left.drain == 0
    assert [port.stages for port in left.ports.values()] == [{}] * len(one.ports)
    assert [port.carried for port in left.ports.values()] == [port.carried for port in one.ports.values()]
