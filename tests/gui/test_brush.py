"""Which part of the last minutes is chosen."""

from hypothesis import given
from hypothesis import strategies as st

from ssgui.gui.connections.brush import LEAST, SPANS, Brush
from ssgui.services.connections.overview import SECONDS

NOW = 1000.0


def test_at_first_it_is_all_and_slides() -> None:
    brush = Brush()
    assert brush.whole
    assert brush.window(NOW) == (None, None)
    assert brush.bounds(NOW) == (940.0, 1000.0)
    assert brush.bounds(NOW + 5) == (945.0, 1005.0)
    brush.move(-10, NOW)
    assert brush.whole


def test_what_touches_now_slides_and_what_does_not_stays() -> None:
    brush = Brush()
    brush.choose(NOW, NOW - 12, NOW)
    assert brush.window(NOW) == (988.0, None)
    assert brush.bounds(NOW + 3) == (991.0, 1003.0)
    brush.move(-5, NOW)
    assert brush.window(NOW + 3) == (983.0, 995.0)
    brush.move(50, NOW)
    assert brush.slides
    brush.move(-500, NOW)
    assert brush.bounds(NOW) == (940.0, 952.0)


def test_stretching_moves_its_beginning() -> None:
    brush = Brush()
    brush.stretch(20, NOW)
    assert brush.window(NOW) == (960.0, None)
    brush.stretch(-5, NOW)
    assert brush.window(NOW) == (955.0, None)
    brush.stretch(500, NOW)
    assert brush.bounds(NOW) == (NOW - LEAST, NOW)
    brush.stretch(-500, NOW)
    assert brush.whole


def test_zooming_out_of_all_shows_more_and_clearing_twice_as_much_as_before() -> None:
    brush = Brush()
    brush.zoom(0.5, NOW - 50, NOW)
    assert brush.window(NOW) == (970.0, None)
    brush.choose(950, 970, NOW)
    brush.zoom(0.5, 955, NOW)
    assert brush.bounds(NOW) == (952.5, 962.5)
    for _ in range(20):
        brush.zoom(1.25, 955, NOW)
    assert brush.whole
    assert brush.span == SPANS[-1]
    brush.clear()
    assert brush.span == SPANS[0]


def test_time_goes_on() -> None:
    brush = Brush()
    brush.choose(950, 970, NOW)
    brush.keep(NOW + 30)
    assert (brush.span, brush.bounds(NOW + 30)) == (120.0, (950, 970))
    brush.keep(NOW + 560)
    assert brush.span == SECONDS
    assert not brush.whole
    brush.keep(NOW + 600)
    assert brush.whole


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["choose", "move", "stretch", "zoom", "clear", "wait"]), st.floats(-80, 80), st.floats(-80, 80)
    ),
    max_size=30,
)


@given(_ACTS)
def test_whatever_a_person_does_it_is_on_the_strip(acts: list[tuple[str, float, float]]) -> None:
    brush, now = Brush(), NOW
    for act, one, other in acts:
        match act:
            case "choose":
                brush.choose(now - abs(one), now - abs(other), now)
            case "move":
                brush.move(one, now)
            case "stretch":
                brush.stretch(one, now)
            case "zoom":
                brush.zoom(2 ** (one / 40), now - abs(other), now)
            case "clear":
                brush.clear()
            case "wait":
                now += abs(one)
        brush.keep(now)
        start, end = brush.bounds(now)
        assert now - brush.span - LEAST - 1e-6 <= start
        assert end <= now + 1e-6
        assert end - start >= LEAST - 1e-6
        assert brush.window(now) == (None, None) if brush.whole else brush.window(now)[0] is not None
        assert brush.slides or not brush.whole
