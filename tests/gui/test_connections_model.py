"""The table's model under random streams of events: against plain dicts, and as Qt wants a model to behave."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from ssgui.engine.stages import Reason, Stage
from ssgui.gui.connections import model
from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.model import ConnectionsModel, Scope
from ssgui.gui.connections.rows import sort_key
from ssgui.services.connections.filtering import compile_filter
from ssgui.services.connections.records import Connection, Connections
from tests.support.moving_engine import MovingEngine

HOSTS = ("a.example:443", "b.example:80", "c.example:443", "[2001:db8::1]:22")
FILTERS: dict[str, Callable[[Connection, float], bool]] = {
    "": lambda one, now: True,
    "a.example": lambda one, now: "a.example" in one.target,
    "-port:443": lambda one, now: not one.target.endswith(":443"),
    "age>5s": lambda one, now: one.age(now) > 5,
    ">1kB stage:stream": lambda one, now: one.up + one.down > 1000 and one.stage is Stage.STREAM,
    "/^b/": lambda one, now: one.target.startswith("b"),
}


class ModelMachine(RuleBasedStateMachine):
    """What the model shows is compared with what a few comprehensions find in plain dicts."""

    @initialize()
    def begin(self) -> None:
        self.engine = MovingEngine(size=40)  # small: some events are lost, and the reader starts anew
        self.connections = Connections(self.engine, self.engine.clock)
        self.model = ConnectionsModel(self.connections, self.engine.clock, wall=lambda: self.engine.now + 1e9)
        mode = QAbstractItemModelTester.FailureReportingMode.Fatal
        self.tester = QAbstractItemModelTester(self.model, mode)
        self.filter, self.scope = "", Scope.ALL
        self.window: tuple[float | None, float | None] = (None, None)
        self.order: tuple[Column, bool] | None = None
        self.frozen: dict[int, Connection] | None = None  # the picture since the pause
        self.ordered = False  # whether the order was made just now
        self.indices: list[tuple[QPersistentModelIndex, int]] = []
        self.shown: list[int] = []

    # ---- what happens to connections

    @rule(host=st.sampled_from(HOSTS), stage=st.sampled_from(list(Stage)[:-1]), count=st.integers(1, 30))
    def open(self, host: str, stage: Stage, count: int) -> None:
        for _ in range(count if count > 25 else 1 + count % 3):
            self.engine.open(host, stage)

    @precondition(lambda self: self.engine.handlers)
    @rule(data=st.data())
    def carry(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.engine.handlers)))
        self.engine.carry(number, 700, 900, blocked=data.draw(st.booleans()))

    @precondition(lambda self: self.engine.handlers)
    @rule(data=st.data(), reason=st.sampled_from(list(Reason)))
    def end(self, data: st.DataObject, reason: Reason) -> None:
        for number in data.draw(st.sets(st.sampled_from(sorted(self.engine.handlers)), max_size=9)):
            self.engine.end(number, reason)

    @rule()
    def forget(self) -> None:
        self.connections.close_ended()

    @rule(seconds=st.floats(0, 4))
    def wait(self, seconds: float) -> None:
        self.engine.now += seconds

    # ---- what a person does

    @rule(text=st.sampled_from(list(FILTERS)))
    def type_filter(self, text: str) -> None:
        self.filter, self.ordered = text, True
        self.model.set_filter(compile_filter(text))
        self.check()

    @rule(scope=st.sampled_from(Scope))
    def choose(self, scope: Scope) -> None:
        self.ordered = self.scope is not scope
        self.scope = scope
        self.model.set_scope(scope)
        self.check()

    @rule(ends=st.one_of(st.just((None, None)), st.tuples(st.floats(-20, 0), st.floats(0, 20))))
    def brush(self, ends: tuple[float | None, float | None]) -> None:
        start, end = ends
        if start is not None and end is not None:
            start, end = self.engine.now + start, self.engine.now + start + end
        changed, self.window = self.window != (start, end), (start, end)
        self.model.set_window(start, end)
        if changed:
            self.check()

    @rule(column=st.sampled_from(list(Column)), descending=st.booleans(), off=st.integers(0, 3))
    def sort(self, column: Column, descending: bool, off: int) -> None:
        self.order, self.ordered = ((column, descending) if off else None), True
        direction = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.model.sort(column if off else -1, direction)
        self.check()

    @rule()
    def pause(self) -> None:
        on = self.frozen is None
        self.connections.pull()
        self.model.pause(on)
        everything = [*self.connections.live.values(), *self.connections.ended.values()]
        self.frozen = {one.id: one.still() for one in everything} if on else None
        self.check()

    @rule(again=st.booleans())
    def look(self, again: bool) -> None:
        self.connections.pull()
        self.ordered |= again
        self.model.look(again=again)
        self.check()

    # ---- what must hold

    def check(self) -> None:
        now = self.model.now
        there = {**self.connections.live, **self.connections.ended}
        source = (there if self.frozen is None else self.frozen).values()
        scoped = [one for one in source if self.scope is Scope.ALL or one.live is (self.scope is Scope.ACTIVE)]
        start, end = self.window
        wanted = [
            one
            for one in scoped
            if FILTERS[self.filter](one, now)
            and (end is None or one.opened <= end)
            and (start is None or one.ended is None or one.ended >= start)
        ]
        shown = self.model.rows
        numbers = [one.id for one in shown]
        assert sorted(numbers) == sorted(one.id for one in wanted)
        assert self.model.hidden == len(scoped) - len(wanted)
        if self.frozen is None:
            assert all(one is there[one.id] for one in shown)
        else:
            assert shown == [self.frozen[one.id] for one in shown]
        self.check_order(numbers)
        places = [(index.row(), number) for index, number in self.indices if index.isValid()]
        assert all(numbers[row] == number for row, number in places)
        assert {number for _, number in places} == set(self.shown) & set(numbers)
        self.shown = numbers
        self.indices = [(QPersistentModelIndex(self.model.index(row, 0)), one) for row, one in enumerate(numbers)]

    def check_order(self, numbers: list[int]) -> None:
        if self.order is None:
            assert numbers == sorted(numbers, reverse=True)
        elif self.ordered:
            keys = [sort_key(self.order[0], self.model.now)(one) for one in self.model.rows]
            assert keys == sorted(keys, reverse=self.order[1])
        else:
            stayed = [number for number in self.shown if number in numbers]
            fresh = sorted(set(numbers) - set(stayed), reverse=True)
            assert numbers == fresh + stayed
        self.ordered = False

    @invariant()
    def every_cell_can_be_read(self) -> None:
        if not hasattr(self, "model"):
            return
        for row in range(min(3, self.model.rowCount())):
            for column in Column:
                for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                    self.model.data(self.model.index(row, column), role)


@pytest.mark.parametrize("many", [200, 1])
def test_the_model_against_plain_dicts(
    application: QApplication, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:  # fmt: skip
    """With `many` runs of rows that come and go another way is taken."""
    monkeypatch.setattr(model, "_MANY", many)
    run_state_machine_as_test(ModelMachine, settings=settings(max_examples=50, stateful_step_count=50))
