"""Choosing lists: from those that are well known, groups of geosite, or any address; and what a row's menu offers."""

from collections.abc import Callable
from functools import partial

import msgspec
from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from ssgui.app.context import AppContext
from ssgui.app.rule_updates import RuleUpdates
from ssgui.config.app_config import RuleSource
from ssgui.gui import icons
from ssgui.gui.adding.subscription import LineDialog, check_url
from ssgui.gui.frame.fields import Field
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.notices import Toast
from ssgui.gui.rules.problems import ProblemsDialog
from ssgui.gui.rules.wording import list_name
from ssgui.gui.texts import tr
from ssgui.services.rules.lists import CATALOGUE, STARTER_NAME, ListState, geosite, source_of


class Lists(QObject):
    """Changes the configuration; `toast` offers the way back."""

    def __init__(self, context: AppContext, updates: RuleUpdates, toast: Toast, parent: QWidget) -> None:
        super().__init__(parent)
        self._context, self._updates, self._toast, self._widget = context, updates, toast, parent

    # ---- adding

    def fill(self, menu: QMenu) -> None:
        """What may be added now."""
        menu.clear()
        there = {source.id for source in self._sources}
        for source in CATALOGUE:
            action = menu.addAction(
                list_name(source.name or STARTER_NAME) + (f" · {tr('direct')}" if source.direct else "")
            )
            action.setEnabled(source.id not in there)
            action.triggered.connect(partial(self._add, source))
        menu.addSeparator()
        menu.addAction(icons.icon("globe"), tr("Groups of geosite…")).triggered.connect(self.ask_for_groups)
        menu.addAction(icons.icon("subscription"), tr("From an address…")).triggered.connect(self.ask_for_address)

    def ask_for_groups(self) -> None:
        """Names of groups, as their publisher calls them."""
        field = Field(tr("Groups"), lambda text: "" if text.strip(" ,") else tr("The name is missing."))
        field.set_hint(tr("Names from domain-list-community, such as: openai, docker, telegram"))
        self._ask(tr("Groups of geosite"), field, lambda text: geosite(text.split(",")), "geosite")

    def ask_for_address(self) -> None:
        """A list of somebody else."""
        field = Field(tr("Address"), check_url)
        field.set_hint(tr("AutoProxy, geosite, hosts, domains or address ranges: the format is found out."))
        self._ask(tr("A list from an address"), field, source_of, "list-address")

    def _ask(self, title: str, field: Field, make: Callable[[str], RuleSource], name: str) -> None:
        dialog = LineDialog(title, field, tr("Add"), self._widget.window())
        dialog.setObjectName(name)

        def add(text: str) -> None:
            self._add(make(text))
            dialog.accept()

        dialog.done_with.connect(add)
        dialog.open()

    def _add(self, source: RuleSource, _checked: bool = False) -> None:
        if any(one.id == source.id for one in self._sources):
            return
        self._change((*self._sources, source))
        if source.url:
            self._updates.update(source.id)

    # ---- what is done with one

    @property
    def _sources(self) -> tuple[RuleSource, ...]:
        return self._context.config.rule_lists

    def _change(self, sources: tuple[RuleSource, ...]) -> None:
        self._context.change(msgspec.structs.replace(self._context.config, rule_lists=sources))

    def _put(self, identity: str, **values: object) -> None:
        self._change(
            tuple(msgspec.structs.replace(one, **values) if one.id == identity else one for one in self._sources)
        )

    def find(self, identity: str) -> RuleSource | None:
        """The list with this id."""
        return next((one for one in self._sources if one.id == identity), None)

    def switch(self, identity: str) -> None:
        """On or off."""
        source = self.find(identity)
        if source is not None:
            self._put(identity, enabled=not source.enabled)

    def move(self, ids: list[str]) -> None:
        """In this order."""
        by_id = {one.id: one for one in self._sources}
        if sorted(ids) == sorted(by_id):
            self._change(tuple(by_id[one] for one in ids))

    def remove(self, identity: str) -> None:
        """At once, with a way back."""
        before, source = self._sources, self.find(identity)
        if source is None:
            return
        self._change(tuple(one for one in before if one.id != identity))
        name = list_name(source.name or STARTER_NAME)
        self._toast.say(tr("{name} removed", name=name), partial(self._put_back, source, before.index(source)))

    def _put_back(self, source: RuleSource, at: int) -> None:
        if self.find(source.id) is None:
            self._change((*self._sources[:at], source, *self._sources[at:]))

    def show_problems(self, state: ListState) -> None:
        """The lines of a list that were not understood."""
        ProblemsDialog(state, self._widget.window()).open()

    def menu(self, identity: str, at: QPoint) -> QMenu:
        """What can be done with a row."""
        menu = rounded(QMenu(self._widget))
        source = self.find(identity)
        if source is None:
            return menu
        if source.url:
            update = menu.addAction(icons.icon("refresh"), tr("Update"))
            update.triggered.connect(lambda: self._updates.update(identity))
            if source.error and not self._context.config.settings.fetch_directly:
                around = menu.addAction(icons.icon("refresh"), tr("Update without the proxy"))
                around.triggered.connect(lambda: self._updates.update(identity, directly=True))
            copy = menu.addAction(icons.icon("copy"), tr("Copy its address"))
            copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(source.url.reveal()))
        state = next((one for one in self._context.rules.lists if one.id == identity), None)
        if state is not None and state.problems:
            show = menu.addAction(icons.icon("warning"), tr("Lines that are not understood…"))
            show.triggered.connect(lambda: self.show_problems(state))
        turn = tr("Send it through the proxy") if source.direct else tr("Send it directly")
        menu.addAction(icons.icon("rules"), turn).triggered.connect(
            lambda: self._put(identity, direct=not source.direct)
        )
        menu.addSeparator()
        menu.addAction(icons.icon("trash"), tr("Remove")).triggered.connect(lambda: self.remove(identity))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)
        return menu
