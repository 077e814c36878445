"""Hypothesis strategies for input that comes in pieces."""

from itertools import pairwise

from hypothesis import strategies as st


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` cut at `places` (any numbers, taken modulo its length); no piece is empty."""
    edges = sorted({0, len(data), *(place % len(data) for place in places)} if data else {0})
    return [data[start:end] for start, end in pairwise(edges)]


places = st.lists(st.integers(0, 2**20), max_size=12)
