"""Subscriptions as a person meets them: added in a dialog, their state beside their group, a menu on its head."""

import time
from functools import partial

import msgspec
from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from ssgui.app.adding import Candidate, Found, assess
from ssgui.app.context import AppContext
from ssgui.app.subscriptions import Subscriptions, find, removed, renamed
from ssgui.config.app_config import AppConfig, Subscription
from ssgui.engine.tasks import spawn
from ssgui.gui import icons, theme
from ssgui.gui.adding.confirm import ConfirmDialog
from ssgui.gui.frame.fields import Field
from ssgui.gui.frame.menus import rounded
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.gui.units import age, amount, day, said
from ssgui.gui.window import MainWindow
from ssgui.services.fetching import FetchError, Unreachable, check_address

_LOOK_MS = 60_000


class LineDialog(QDialog):
    """One line of text and a button; `done_with` carries the text. What is wrong stands below it."""

    done_with = Signal(str)

    def __init__(self, title: str, field: Field, action: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setFixedWidth(480)
        heading = QLabel(title, self)
        heading.setFont(theme.font(15, theme.SEMIBOLD))
        self.field = field
        field.setParent(self)
        self.cancel, self.go = QPushButton(tr("Cancel"), self), QPushButton(action, self)
        self.go.setProperty("kind", "primary")
        self.go.setDefault(True)
        self._action = action
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addWidget(field)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.go)
        column.addLayout(row)
        self.again = False  # what was wanted failed, and may be tried in another way
        self.cancel.clicked.connect(self.reject)
        field.changed.connect(self._changed)
        self.go.clicked.connect(self._go)

    def offer(self, action: str) -> None:
        """Have the button mean `action` until the text is changed."""
        self.again = True
        self.go.setText(action)

    def _changed(self) -> None:
        self.again = False
        self.go.setText(self._action)

    def _go(self) -> None:
        if self.field.validate():
            self.done_with.emit(self.field.text().strip())


def check_url(text: str) -> str:
    """What is wrong with an address to fetch a list from, "" for nothing."""
    try:
        check_address(text)
    except FetchError:
        if text.strip().startswith("http://"):
            return tr("http is not encrypted: anybody on the way could change the list. Use https.")
        return tr("This is no https address.") if text.strip() else tr("The address is missing.")
    return ""


def _check_name(text: str) -> str:
    return "" if text.strip() else tr("The name is missing.")


class SubscriptionWays(QObject):
    """Adds, refreshes, renames and removes. `changed` is emitted when what stands beside a group may be different."""

    changed = Signal()

    def __init__(self, context: AppContext, window: MainWindow) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self.service = Subscriptions(context, self.changed.emit)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    def begin(self) -> None:
        """The proxy is there: refresh what is due, now and then."""
        if self._context.run is None:
            self.service.refresh_due()
            self._timer.start(_LOOK_MS)

    def _look(self) -> None:
        """Some may be due, and all have grown older."""
        if self._context.config.subscriptions:
            self.service.refresh_due()
            self.changed.emit()

    def end(self) -> None:
        """No more of it."""
        self._timer.stop()
        self.service.stop()

    # ---- adding

    def add(self, url: str = "") -> None:
        """Ask for the address of a new one."""
        field = Field(tr("Address"), check_url)
        field.set_hint(tr("Your provider gives it to you. Keep it to yourself: it is a password."))
        dialog = LineDialog(tr("Add a subscription"), field, tr("Go on"), self._window)
        dialog.setObjectName("subscription")
        field.edit.setText("https://" + url.partition("://")[2] if url.startswith("ssconf://") else url)
        dialog.done_with.connect(partial(self._look_up, dialog))
        dialog.open()

    def _look_up(self, dialog: LineDialog, url: str) -> None:
        dialog.go.setEnabled(False)
        dialog.field.set_hint(tr("Updating…"))
        task = spawn(self._fetch(dialog, url), name="look a subscription up")
        dialog.finished.connect(lambda _result: task.cancel())

    async def _fetch(self, dialog: LineDialog, url: str) -> None:
        try:
            subscription, config = await self.service.look_up(url, directly=dialog.again)
        except FetchError as error:
            dialog.field.set_hint(reason(str(error)))
            dialog.go.setEnabled(True)
            if isinstance(error, Unreachable) and self.service.could_go_directly():
                dialog.offer(tr("Try without the proxy"))
            return
        self._confirm(subscription, config)
        dialog.accept()

    def _confirm(self, subscription: Subscription, config: AppConfig) -> None:
        there = self._context.config.servers
        mine = [one for one in config.servers if one.subscription == subscription.id]
        candidates: tuple[Candidate, ...] = assess(mine, there)
        dialog = ConfirmDialog(Found(subscription.name, candidates), (), self._window, whole=True)
        dialog.confirmed.connect(lambda _servers, _group, use: self._keep(subscription, config, use))
        dialog.open()

    def _keep(self, subscription: Subscription, looked_up: AppConfig, use: bool) -> None:
        before = self._context.config
        mine = tuple(one for one in looked_up.servers if one.subscription == subscription.id)
        done = find(looked_up, subscription.id) or subscription
        current = mine[0].id if use or before.server(before.current) is None else before.current
        self._context.change(
            msgspec.structs.replace(
                before,
                servers=(*before.servers, *mine),
                subscriptions=(*before.subscriptions, done),
                current=current,
            )
        )
        self._window.toast.say(tr("{count} servers added", count=len(mine)), partial(self._take_back, done.id, before))

    def _take_back(self, identity: str, before: AppConfig) -> None:
        config = removed(self._context.config, identity)
        if config.server(before.current) is not None and config.server(self._context.config.current) is None:
            config = msgspec.structs.replace(config, current=before.current)
        self._context.change(config)

    # ---- the menu on a group's head

    def menu(self, group: str, at: QPoint) -> QMenu:
        """Open it; what is chosen is done."""
        menu = rounded(QMenu(self._window))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        config = self._context.config
        identity = subscription_of(config, group)
        if identity:
            refresh = menu.addAction(icons.icon("refresh"), tr("Refresh"))
            refresh.setEnabled(identity not in self.service.busy)
            refresh.triggered.connect(lambda: self.service.refresh(identity))
            subscription = find(config, identity)
            if subscription is not None and subscription.error and self.service.could_go_directly():
                around = menu.addAction(icons.icon("refresh"), tr("Refresh without the proxy"))
                around.setEnabled(identity not in self.service.busy)
                around.triggered.connect(lambda: self.service.refresh(identity, directly=True))
        if group:
            menu.addAction(icons.icon("pen"), tr("Rename…")).triggered.connect(partial(self.rename, group))
        if identity:
            menu.addAction(icons.icon("trash"), tr("Remove subscription")).triggered.connect(
                partial(self.remove, identity)
            )
        if menu.actions():
            menu.popup(at)
        return menu

    def rename(self, group: str) -> None:
        """Ask for another name of a group."""
        field = Field(tr("Name"), _check_name)
        dialog = LineDialog(tr("Rename a group"), field, tr("Rename"), self._window)
        dialog.setObjectName("rename-group")
        field.edit.setText(group)
        field.edit.selectAll()

        def rename(name: str) -> None:
            self._context.change(renamed(self._context.config, group, name))
            dialog.accept()

        dialog.done_with.connect(rename)
        dialog.open()

    def remove(self, identity: str) -> None:
        """At once, with a way back."""
        before = self._context.config
        subscription = find(before, identity)
        if subscription is None:
            return
        self._context.change(removed(before, identity))
        undo = partial(self._put_back, identity, before)
        self._window.toast.say(tr("{name} removed", name=subscription.name), undo)

    def _put_back(self, identity: str, before: AppConfig) -> None:
        now = self._context.config
        mine = tuple(one for one in before.servers if one.subscription == identity)
        theirs = tuple(one for one in before.subscriptions if one.id == identity)
        current = before.current if any(one.id == before.current for one in mine) else now.current
        self._context.change(
            msgspec.structs.replace(
                now, servers=(*now.servers, *mine), subscriptions=(*now.subscriptions, *theirs), current=current
            )
        )

    # ---- what stands beside a group's name

    def notes(self) -> dict[str, str]:
        """Group to the state of its subscription."""
        config = self._context.config
        if not config.subscriptions:
            return {}
        groups: dict[str, str] = {}
        for server in config.servers:
            if server.subscription:
                groups.setdefault(server.subscription, server.group)
        busy, now = self.service.busy, time.time()
        return {groups[one.id]: state_of(one, one.id in busy, now) for one in config.subscriptions if one.id in groups}


def subscription_of(config: AppConfig, group: str) -> str:
    """The id of the subscription that a group shows, "" for none."""
    ids = {one.id for one in config.subscriptions}
    return next((one.subscription for one in config.servers if one.group == group and one.subscription in ids), "")


def state_of(one: Subscription, busy: bool, now: float) -> str:
    """Its age, what is left, and its end; or why it could not be refreshed."""
    if busy:
        return tr("Updating…")
    how_old = _age(max(0.0, now - one.updated))
    if one.error:
        return tr("not updated: {why} · list of {age} ago", why=reason(one.error), age=how_old)
    parts = [tr("updated {age} ago", age=how_old)]
    if one.bytes_remaining:
        parts.append(tr("{amount} left", amount=" ".join(amount(one.bytes_remaining))))
    if one.expires:
        words = tr("until {date}") if one.expires > now else tr("ended {date}")
        parts.append(words.format(date=day(one.expires)))
    return " · ".join(parts)


def _age(seconds: float) -> str:
    if seconds >= 48 * 3600:
        return tr("{count} days", count=int(seconds // 86400))
    return said(age(max(seconds, 60.0)))
