"""The history's file: whole after anything, no larger and no older than was said, silent about hosts where asked."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.config.app_config import HistoryHosts
from ssgui.services.history import schema as history_schema
from ssgui.services.history.file import KEY_NAME, NAME, BegunAnewError, HistoryError, HistoryFile
from ssgui.services.history.queries import Answer, Query, View, answer
from ssgui.services.history.rows import Naming, Row
from tests.services.connections.test_connection_export import texts
from tests.support.past import DAY, NOW, bytes_in, many, row

CLEAR, HASHED, NONE = HistoryHosts.CLEAR, HistoryHosts.HASHED, HistoryHosts.NONE
TODAY = date.fromtimestamp(NOW).toordinal()
SECRET = "a-very-private-site.example.net"


def new_file(folder: Path, *, now: float = NOW, most_pages: int | None = None) -> HistoryFile:
    return HistoryFile(folder, wall=lambda: now, most_pages=most_pages)


def ask(file: HistoryFile, view: View = View.HOSTS, hosts: HistoryHosts = CLEAR, text: str = "") -> list[Any]:
    query = Query(view, 0, TODAY + 100_000, text)
    return list(file.ask(partial(asked, query), hosts, Answer()).rows)


def names(file: HistoryFile) -> list[str]:
    return [one.name for one in ask(file)]


def asked(query: Query, db: sqlite3.Connection, naming: Naming) -> Answer:
    return answer(db, naming, query)


def count(file: HistoryFile) -> int:
    return file.ask(lambda db, _: int(db.execute("SELECT count(*) FROM connections").fetchone()[0]), CLEAR, 0)


# ---- the file


def test_it_is_private_and_only_made_when_there_is_something_to_keep(tmp_path: Path) -> None:
    file = new_file(tmp_path / "data")
    file.begin(NONE)
    file.rename(NONE)
    file.tidy(30, 50)
    assert ask(file) == []
    assert not (tmp_path / "data").exists()
    file.add([row()], HASHED)
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {NAME, f"{NAME}-wal", KEY_NAME}
    for path in (tmp_path / "data").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    file.close()
    assert {path.name for path in (tmp_path / "data").iterdir()} == {NAME, KEY_NAME}


def test_a_file_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    (tmp_path / NAME).touch(0o644)
    (tmp_path / NAME).chmod(0o644)
    file = new_file(tmp_path)
    file.add([row()], CLEAR)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    file.close()


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    kept = row(1, "[2001:DB8::1]:22", program="ssh", rule="My rules: ||x", client="192.168.1.20:5", up=7, down=300_000)
    file.add([kept], CLEAR)
    file.close()
    (past,) = ask(new_file(tmp_path), View.CONNECTIONS)
    assert (past.host, past.port, past.client, past.program) == ("2001:db8::1", 22, "192.168.1.20", "ssh")
    assert (past.rule, past.route, past.reason) == ("My rules: ||x", "proxy", "finished")
    assert (past.up, past.down) == (7, 300_000)
    assert past.ended == pytest.approx(NOW, abs=0.001)
    assert (past.seconds, past.connect, past.wait) == pytest.approx((2.0, 0.05, 0.1), abs=1e-3)


@pytest.mark.parametrize("content", [b"not a database" * 100, b"\0" * 8192, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    file = new_file(tmp_path)
    with pytest.raises(BegunAnewError):
        file.begin(CLEAR)
    file.add([row()], CLEAR)
    assert names(file) == ["example.com"]
    (said,) = file.said
    (aside,) = tmp_path.glob("history.damaged-*.sqlite")
    assert aside.name in said
    assert aside.read_bytes() == content
    file.close()


def test_a_file_of_somebody_else_is_set_aside(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / NAME)
    other.execute("CREATE TABLE words(a)")
    other.commit()
    other.close()
    file = new_file(tmp_path)
    with pytest.raises(BegunAnewError):
        ask(file)
    assert len(file.said) == 1
    assert ask(file) == []


def test_one_that_is_damaged_in_the_middle_is_noticed(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add(many(3000), CLEAR)
    file.close()
    data = bytearray((tmp_path / NAME).read_bytes())
    data[8192:65536] = b"\xaa" * (65536 - 8192)
    (tmp_path / NAME).write_bytes(data)
    file = new_file(tmp_path)
    with pytest.raises(BegunAnewError):
        names(file)
    file.add([row()], CLEAR)
    assert names(file) == ["example.com"]
    file.close()


def test_what_was_damaged_is_not_kept_for_ever(tmp_path: Path) -> None:
    for name in ("history.damaged-20200101-000000.sqlite", "history.damaged-20200101-000000.sqlite-wal"):
        (tmp_path / name).write_text(SECRET)
        os.utime(tmp_path / name, (NOW - 31 * DAY, NOW - 31 * DAY))
    (tmp_path / "history.damaged-20300101-000000.sqlite").write_text("young")
    os.utime(tmp_path / "history.damaged-20300101-000000.sqlite", (NOW - DAY, NOW - DAY))
    new_file(tmp_path).tidy(30, 50)
    assert [path.name for path in tmp_path.iterdir()] == ["history.damaged-20300101-000000.sqlite"]


def test_one_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add([row()], CLEAR)
    file.close()
    db = sqlite3.connect(tmp_path / NAME)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = (tmp_path / NAME).read_bytes()
    file = new_file(tmp_path)
    for _ in range(2):
        with pytest.raises(HistoryError, match="newer version"):
            file.add([row()], CLEAR)
    assert file.said == []
    assert (tmp_path / NAME).read_bytes() == before


def test_an_older_one_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = new_file(tmp_path)
    file.add([row()], CLEAR)
    file.close()

    def step(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE connections ADD COLUMN mood TEXT NOT NULL DEFAULT 'good'")
        if broken:
            db.execute("this is no SQL")

    broken = True
    monkeypatch.setattr(history_schema, "STEPS", (*history_schema.STEPS, step))
    db = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    with pytest.raises(history_schema.DamagedError):
        history_schema.prepare(db)
    assert db.execute("PRAGMA user_version").fetchone()[0] == 1
    assert "mood" not in str(db.execute("SELECT sql FROM sqlite_schema").fetchall())  # all of it or nothing
    broken = False
    history_schema.prepare(db)
    assert db.execute("PRAGMA user_version").fetchone()[0] == 2
    assert db.execute("SELECT mood, up FROM connections").fetchall() == [("good", 500)]
    db.close()


def test_a_full_disk_costs_the_batch_and_nothing_else(tmp_path: Path) -> None:
    file = new_file(tmp_path, most_pages=40)
    written = 0
    why = ""
    while not why and written < 10_000:
        try:
            file.add([row(written + one, f"host-{written}-{one}.example.com:443") for one in range(10)], CLEAR)
            written += 10
        except HistoryError as error:
            why = str(error)
    assert "full" in why
    assert written > 50
    assert count(file) == written
    file.tidy(30, 50)
    file.close()
    file = new_file(tmp_path)
    file.add([row()], CLEAR)
    assert count(file) == written + 1
    file.close()


def test_a_place_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(HistoryError):
        new_file(tmp_path / "taken").add([row()], CLEAR)
    (tmp_path / NAME).mkdir()
    with pytest.raises(HistoryError):
        new_file(tmp_path).add([row()], CLEAR)


# ---- killed, and read by many

WRITER = """
import sys
from pathlib import Path
from ssgui.config.app_config import HistoryHosts
from ssgui.services.history.file import HistoryFile
from tests.support.past import many

file = HistoryFile(Path(sys.argv[1]))
rows = list(many(2000))
for at in range(0, 1 << 30, 50):
    file.add(rows[at % 2000 : at % 2000 + 50], HistoryHosts.CLEAR)
    print(at + 50, flush=True)
"""


def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    for turn in range(3):
        folder = tmp_path / str(turn)
        command, root = [sys.executable, "-c", WRITER, str(folder)], Path(__file__).parents[3]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
        assert process.stdout is not None
        told = 0
        try:
            for line in process.stdout:
                told = int(line)
                if told >= 400 * (turn + 1):
                    break
            process.send_signal(signal.SIGKILL)
            told = max([told, *(int(line) for line in process.stdout)])
        finally:
            process.kill()
            process.wait(10)
            process.stdout.close()
        file = new_file(folder)
        kept = count(file)
        assert kept % 50 == 0  # batches are whole
        assert kept >= told  # what was told as written outlives the process
        file.add([row()], CLEAR)
        assert file.ask(lambda db, _: db.execute("PRAGMA integrity_check").fetchone()[0], CLEAR, "") == "ok"
        assert file.said == []
        file.close()


def test_many_read_while_it_is_written_to(tmp_path: Path) -> None:
    file, failures = new_file(tmp_path), list[BaseException]()
    file.add([row()], CLEAR)
    over = threading.Event()

    def read(other: HistoryFile | None) -> None:
        last = 0
        try:
            while not over.is_set():
                if other is not None:
                    now = count(other)
                else:  # somebody else's program
                    db = sqlite3.connect(f"file:{tmp_path / NAME}?mode=ro", uri=True)
                    now = db.execute("SELECT count(*) FROM connections").fetchone()[0]
                    db.close()
                assert now >= last
                assert now % 10 == 1
                last = now
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=read, args=(one,)) for one in (file, file, None)]
    for thread in threads:
        thread.start()
    rows = list(many(600))
    for at in range(0, 600, 10):
        file.add(rows[at : at + 10], CLEAR)
    over.set()
    for thread in threads:
        thread.join(10)
    assert not failures
    assert count(file) == 601
    file.close()


# ---- bounds


def test_what_is_too_old_goes_with_its_names(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add([row(1, f"{SECRET}:443", unix=NOW - 30 * DAY, program="old-program", server="Old", rule="old rule"),
              row(2, "old-and-new.example.com:443", unix=NOW - 40 * DAY)], CLEAR)  # fmt: skip
    file.add([row(3, "old-and-new.example.com:443", unix=NOW - 29 * DAY), row(4, unix=NOW)], CLEAR)
    file.tidy(30, 50)
    assert sorted(names(file)) == ["example.com", "old-and-new.example.com"]
    file.tidy(1, 50)
    assert names(file) == ["example.com"]
    file.close()
    left = bytes_in(tmp_path)
    for gone in (SECRET, "old-program", "old rule", "old-and-new"):
        assert gone.encode() not in left


def test_it_does_not_outgrow_its_bound(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    one = row()
    for start in range(0, 60_000, 10_000):
        file.add((one._replace(host=f"h{(start + at) // 7}.example.com") for at in range(10_000)), CLEAR)
        assert file.bytes() < 12 << 20
        if file.too_large(5):
            file.tidy(30, 5)
            assert not file.too_large(5)
    assert 10_000 < count(file) < 40_000
    newest = file.ask(lambda db, _: db.execute("SELECT max(id) FROM connections").fetchone()[0], CLEAR, 0)
    assert newest == 60_000  # the oldest went
    hosts = file.ask(lambda db, _: db.execute("SELECT count(*) FROM hosts").fetchone()[0], CLEAR, 0)
    assert hosts <= count(file) / 7 + 2
    file.close()
    assert file.bytes() <= 5 << 20


def test_clocks_that_were_wrong_for_a_while(tmp_path: Path) -> None:
    """What was stamped with a far future goes with what came before it; a clock far behind deletes nothing."""
    file = new_file(tmp_path)
    file.add([row(1, "a.example:443", unix=NOW), row(2, "future.example:443", unix=NOW + 3000 * DAY)], CLEAR)
    file.add([row(3, "b.example:443", unix=NOW + 10 * DAY)], CLEAR)
    file._wall = lambda: NOW + 10 * DAY
    file.tidy(30, 50)
    assert len(names(file)) == 3
    file._wall = lambda: NOW - 20_000 * DAY + 5  # as after an empty battery
    file.tidy(30, 50)
    assert len(names(file)) == 3
    file._wall = lambda: NOW + 31 * DAY
    file.tidy(30, 50)
    assert names(file) == ["b.example"]
    file.close()


# ---- what hosts are called


def test_hosts_are_left_out_unless_they_are_wanted(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add([row(1, f"{SECRET}:443", rule=f"My rules: ||{SECRET}", client="192.168.44.55:5")], NONE)
    (total,) = ask(file)
    assert (total.name, total.connections, total.down) == ("", 1, 40_000)
    (past,) = ask(file, View.CONNECTIONS)
    assert (past.host, past.client, past.rule, past.port) == ("", "", "", 443)
    left = bytes_in(tmp_path)
    file.close()
    left += bytes_in(tmp_path)
    assert SECRET.encode() not in left
    assert b"192.168.44.55" not in left


def test_hashed_hosts_stay_equal_and_are_found_by_their_whole_name(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    rows = [row(1, f"{SECRET}:443", rule=f"||{SECRET}"), row(2, f"{SECRET.upper()}.:80"), row(3, "other.example:443")]
    file.add(rows, HASHED)
    file.close()
    file = new_file(tmp_path)
    file.add([row(4, f"{SECRET}:443")], HASHED)
    totals = {one.connections: one for one in ask(file, hosts=HASHED)}
    assert set(totals) == {1, 3}
    assert totals[3].hashed
    assert len(totals[3].name) == 24
    assert [one.connections for one in ask(file, hosts=HASHED, text=SECRET)] == [3]
    assert len(ask(file, View.CONNECTIONS, HASHED, SECRET.upper())) == 3
    assert ask(file, hosts=HASHED, text=SECRET[:-1]) == []
    assert repr(file.key()) not in repr((file, Naming(HASHED, file.key())))
    left = bytes_in(tmp_path)
    file.close()
    left += bytes_in(tmp_path)
    assert SECRET.encode() not in left
    assert SECRET.upper().encode() not in left


@pytest.mark.parametrize("wanted", [HASHED, NONE])
def test_hosts_that_were_kept_by_name_are_hashed_or_left_out_later(tmp_path: Path, wanted: HistoryHosts) -> None:
    file = new_file(tmp_path)
    file.add(many(2000), CLEAR)
    file.add([row(1, f"{SECRET}:443", rule=f"||{SECRET}", client="192.168.44.55:5")], HASHED)
    file.add([row(n, f"{SECRET}:443", rule=f"||{SECRET}", client="192.168.44.55:5") for n in range(5)], CLEAR)
    before = count(file)
    file.rename(wanted)
    left = bytes_in(tmp_path)
    file.close()
    left += bytes_in(tmp_path)
    for gone in (SECRET.encode(), b"192.168.44.55", b"host-00", b".example.com"):
        assert gone not in left
    file = new_file(tmp_path)
    assert count(file) == before
    if wanted is HASHED:
        assert [one.connections for one in ask(file, hosts=HASHED, text=SECRET)] == [6]
    file.close()


def test_names_that_a_reader_keeps_in_the_log_are_said_and_go_later(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add([row(1, f"{SECRET}:443")], CLEAR)
    reader = sqlite3.connect(f"file:{tmp_path / NAME}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM hosts").fetchone()[0] == 1
    assert file._db is not None
    file._db.execute("PRAGMA busy_timeout = 50")
    with pytest.raises(HistoryError, match="another program reads it"):
        file.rename(HASHED)
    assert SECRET.encode() in bytes_in(tmp_path)
    reader.close()
    file.rename(HASHED)
    assert SECRET.encode() not in bytes_in(tmp_path)
    file.close()


def test_a_change_that_was_cut_short_is_made_at_the_next_start(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add([row(1, f"{SECRET}:443")], CLEAR)
    file.close()
    file = new_file(tmp_path)
    file.begin(HASHED)
    file.close()
    assert SECRET.encode() not in bytes_in(tmp_path)


def test_a_key_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add([row(1, "a.example:443")], HASHED)
    file.close()
    (tmp_path / KEY_NAME).write_bytes(b"short")
    file = new_file(tmp_path)
    file.add([row(2, "a.example:443")], HASHED)
    assert len(names(file)) == 2
    file.close()


# ---- cleared


def test_clearing_really_deletes_and_can_be_undone_before(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add([*many(500), row(1, f"{SECRET}:443")], CLEAR)
    file.key()
    (tmp_path / "history.damaged-20200101-000000.sqlite").write_text(SECRET)
    before = count(file)
    file.hide()
    assert not file.exists()
    assert ask(file) == []
    file.bring_back()
    assert count(file) == before
    file.hide()
    file.wipe()
    assert list(tmp_path.iterdir()) == []
    file.add([row(1, "new.example:443")], CLEAR)
    assert names(file) == ["new.example"]
    file.close()


def test_what_was_being_cleared_is_gone_at_the_next_start(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add([row(1, f"{SECRET}:443")], CLEAR)
    file.hide()
    assert SECRET.encode() in bytes_in(tmp_path)
    new_file(tmp_path).begin(CLEAR)
    assert list(tmp_path.iterdir()) == []


# ---- strangers


@given(st.lists(st.tuples(texts, texts, texts, texts), min_size=1, max_size=5), st.sampled_from(HistoryHosts), texts)
@settings(max_examples=20, deadline=None)
def test_any_names_are_kept_found_and_no_sql(
    tmp_path_factory: pytest.TempPathFactory, given_names: list[tuple[str, str, str, str]], hosts: HistoryHosts,
    text: str,
) -> None:  # fmt: skip
    file = new_file(tmp_path_factory.mktemp("any"))
    rows = list[Row]()
    for number, (host, program, server, rule) in enumerate(given_names):
        made = row(number, f"x{host}:1", program=program, server=server, rule=rule)
        rows.append(made)
    file.add(rows, hosts)
    assert count(file) == len(rows)
    for view in View:
        ask(file, view, hosts, text)
        for order in ("name", "down", "x; DROP TABLE connections"):
            query = Query(view, 0, TODAY + 1, text, order=order)
            file.ask(partial(asked, query), hosts, Answer())
    if hosts is CLEAR:
        whole = rows[0].host
        assert any(one.host == whole for one in ask(file, View.CONNECTIONS, hosts, whole))
    assert count(file) == len(rows)
    file.close()
