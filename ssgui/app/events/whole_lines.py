"""Lines that several processes write to one stream, and none of one is torn by another's."""

from collections.abc import Iterator

# POSIX wants this much of a pipe to be written in one piece, and a file that is appended to is no worse.
PIECE = 4096


def pieces(data: bytes) -> Iterator[bytes]:
    """`data`, which is whole lines, in pieces of whole lines that are each to be written at once."""
    piece = b""
    for line in data.splitlines(keepends=True):
        if piece and len(piece) + len(line) > PIECE:
            yield piece
            piece = b""
        piece += line
    if piece:
        yield piece
