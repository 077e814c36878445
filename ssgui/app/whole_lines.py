"""A stream that several processes write to at a time, and no line of one is torn by another."""

import os
from typing import TextIO

# POSIX wants this much of a pipe to be written in one piece, and a file that is appended to is no worse.
PIECE = 4096


class WholeLines:
    """Writes to the descriptor of `stream`, in pieces of whole lines. Closing it closes that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._held: list[bytes] = []

    def write(self, text: str) -> int:
        """Hold lines until they are flushed."""
        self._held += text.encode().splitlines(keepends=True)
        return len(text)

    def flush(self) -> None:
        """Write what is held. OSError when it cannot be."""
        held, self._held = self._held, []
        piece = b""
        for line in held:
            if piece and len(piece) + len(line) > PIECE:
                self._put(piece)
                piece = b""
            piece += line
        self._put(piece)

    def close(self) -> None:
        """Nothing comes after."""
        self._stream.close()

    def _put(self, piece: bytes) -> None:
        while piece:
            piece = piece[os.write(self._stream.fileno(), piece) :]
