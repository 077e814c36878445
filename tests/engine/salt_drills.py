"""Drills of the shared memory of salts in processes of their own: `python -m tests.engine.salt_drills NAME`.

They fork, so they run in a process that has no threads. Each ends with 0, or with the traceback of what failed.
"""

import fcntl
import os
import random
import signal
import sys
import time
from collections.abc import Callable

from ssgui.engine.shared_salts import PATIENCE, KeySalts, SharedSalts

KEY = b"the key of a port"
WORKERS, SALTS = 4, 3000


def fork(work: Callable[[], object]) -> int:
    """A child that does `work` and ends; its number."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def race() -> None:
    """Every worker brings the same salts, each in an order of its own: each salt is taken by one of them."""
    shared = SharedSalts(1 << 17)
    salts = [os.urandom(32) for _ in range(SALTS)]
    start, go = os.pipe()
    results = []

    def worker(out: int, seed: int) -> None:
        mine, order = KeySalts(shared, KEY, dated=True), list(range(SALTS))
        random.Random(seed).shuffle(order)
        # Half of them in the same order: then all come to one bucket at one time.
        order = order[: SALTS // 2] if seed % 2 else sorted(order)
        os.read(start, 1)
        taken = bytearray(SALTS)
        for number in order:
            taken[number] = mine.add(salts[number])
        with os.fdopen(out, "wb") as pipe:
            pipe.write(taken)

    children = []
    for seed in range(WORKERS):
        reader, writer = os.pipe()
        results.append(reader)
        children.append(fork(lambda out=writer, seed=seed: worker(out, seed)))  # type: ignore[misc]
        os.close(writer)
    os.write(go, b"x" * WORKERS)
    takers = [0] * SALTS
    for reader in results:
        with os.fdopen(reader, "rb") as pipe:
            for number, taken in enumerate(pipe.read()):
                takers[number] += taken
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * WORKERS
    assert takers == [1] * SALTS, [count for count in takers if count != 1][:10]
    mine = KeySalts(shared, KEY, dated=True)
    assert all(salt in mine and not mine.add(salt) for salt in salts)


def deaths() -> None:
    """Workers are killed wherever they are; nobody waits for them, and what they took stays taken."""
    shared = SharedSalts(1 << 20)
    told, tell = os.pipe()

    def worker() -> None:
        mine = KeySalts(shared, KEY, dated=True)
        while True:
            salt = os.urandom(16)
            if mine.add(salt):
                os.write(tell, salt)

    mine = KeySalts(shared, KEY, dated=True)
    chance = random.Random(7)
    for _ in range(60):
        child = fork(worker)
        salts = [os.read(told, 16) for _ in range(chance.randrange(1, 20))]
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert not any(mine.add(salt) for salt in salts)
        began = time.monotonic()
        fresh = [os.urandom(16) for _ in range(5)]
        assert all(mine.add(salt) for salt in fresh)
        assert not any(mine.add(salt) for salt in fresh)
        assert time.monotonic() - began < PATIENCE
        os.set_blocking(told, False)
        try:
            while os.read(told, 1 << 16):  # what it said last
                pass
        except BlockingIOError:
            os.set_blocking(told, True)


def holder() -> None:
    """A worker that stops inside of its lock costs the others its bucket and nothing else; its death gives it back."""
    shared = SharedSalts(1 << 12)
    mine = KeySalts(shared, KEY, dated=True)
    salt = os.urandom(16)
    bucket = shared._bucket(mine._hashed(salt)[:8])
    told, tell = os.pipe()

    def worker() -> None:
        fcntl.lockf(shared.fd, fcntl.LOCK_EX, 1, bucket)
        os.write(tell, b"x")
        os.kill(os.getpid(), signal.SIGSTOP)

    child = fork(worker)
    os.read(told, 1)
    os.waitpid(child, os.WUNTRACED)
    began = time.monotonic()
    assert not mine.add(salt)
    waited = time.monotonic() - began
    assert PATIENCE <= waited < PATIENCE + 5, waited
    others = [salt for salt in (os.urandom(16) for _ in range(200)) if shared._bucket(mine._hashed(salt)[:8]) != bucket]
    began = time.monotonic()
    assert all(mine.add(salt) for salt in others)
    assert time.monotonic() - began < PATIENCE
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert mine.add(salt)


if __name__ == "__main__":
    {"race": race, "deaths": deaths, "holder": holder}[sys.argv[1]]()
