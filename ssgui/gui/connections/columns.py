"""The columns of the connections' table: which there are, what they are called, and how they come at first."""

from enum import IntEnum
from typing import NamedTuple

from ssgui.gui.texts import tr


class Column(IntEnum):
    """The columns, from the left as they come at first. Their names, in small letters, are what is remembered."""

    STAGE = 0
    UP_FLAGS = 1
    DOWN_FLAGS = 2
    TARGET = 3
    RULE = 4
    SERVER = 5
    INBOUND = 6
    PROGRAM = 7
    DOWN_RATE = 8
    UP_RATE = 9
    DOWN_TOTAL = 10
    UP_TOTAL = 11
    WAIT = 12
    STARTED = 13
    AGE = 14
    REASON = 15
    USER = 16
    WATERFALL = 17

    @property
    def key(self) -> str:
        """What it is called in the settings."""
        return self.name.lower()


class Shape(NamedTuple):
    """How a column comes at first: `width` in pixels, and where it is shown."""

    width: int
    wide: bool = True  # in a usual window
    narrow: bool = True  # in a narrow one


SHAPES = {
    Column.STAGE: Shape(116),
    Column.UP_FLAGS: Shape(50),
    Column.DOWN_FLAGS: Shape(50),
    Column.TARGET: Shape(248),
    Column.RULE: Shape(112, narrow=False),
    Column.SERVER: Shape(112, wide=False, narrow=False),
    Column.INBOUND: Shape(84, wide=False, narrow=False),
    Column.PROGRAM: Shape(84, narrow=False),
    Column.DOWN_RATE: Shape(84),
    Column.UP_RATE: Shape(84),
    Column.DOWN_TOTAL: Shape(84, wide=False, narrow=False),
    Column.UP_TOTAL: Shape(84, wide=False, narrow=False),
    Column.WAIT: Shape(72, wide=False, narrow=False),
    Column.STARTED: Shape(80, wide=False, narrow=False),
    Column.AGE: Shape(68),
    Column.REASON: Shape(128, wide=False, narrow=False),
    Column.USER: Shape(96, wide=False, narrow=False),
    Column.WATERFALL: Shape(240),
}
NUMBERS = frozenset(
    {Column.DOWN_RATE, Column.UP_RATE, Column.DOWN_TOTAL, Column.UP_TOTAL, Column.WAIT, Column.STARTED, Column.AGE}
)
ALWAYS = frozenset({Column.TARGET})  # a table of nothing would have no way back


def heads() -> dict[Column, str]:
    """What stands above each."""
    return names() | {
        Column.UP_FLAGS: "\N{UPWARDS ARROW}", Column.DOWN_FLAGS: "\N{DOWNWARDS ARROW}",
        Column.DOWN_RATE: tr("Down"), Column.UP_RATE: tr("Up"), Column.WATERFALL: "",
    }  # fmt: skip


def names() -> dict[Column, str]:
    """What each is called where nothing around it helps."""
    return {
        Column.STAGE: tr("Stage"), Column.UP_FLAGS: tr("Up: R and W"), Column.DOWN_FLAGS: tr("Down: R and W"),
        Column.TARGET: tr("Target"), Column.RULE: tr("Rule"), Column.SERVER: tr("Server"),
        Column.INBOUND: tr("Inbound"), Column.PROGRAM: tr("Program"), Column.DOWN_RATE: tr("Down rate"),
        Column.UP_RATE: tr("Up rate"), Column.DOWN_TOTAL: tr("Down total"), Column.UP_TOTAL: tr("Up total"),
        Column.WAIT: tr("Wait"), Column.STARTED: tr("Started"), Column.AGE: tr("Age"),
        Column.REASON: tr("Reason"), Column.USER: tr("User"), Column.WATERFALL: tr("Waterfall"),
    }  # fmt: skip
