"""The icon's files: what lies in resources is what the logo looks like, and whole."""

import struct
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from ssgui.assets import asset
from ssgui.gui import app_icons
from ssgui.gui.app_icons import ICNS_TYPES, ICO_SIZES, PNG_SIZES


def difference(one: QImage, other: QImage) -> float:
    """Of the channels, on average, 0 to 255."""
    assert one.size() == other.size()
    first, second = (_bytes(image.convertToFormat(QImage.Format.Format_RGBA8888)) for image in (one, other))
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first)


def _bytes(image: QImage) -> bytes:
    """A copy, made while the image lives: a view of a picture that is gone ends the process."""
    return bytes(image.constBits())


def loaded(data: bytes) -> QImage:
    image: QImage = QImage.fromData(data)
    assert not image.isNull()
    return image


def of_ico(data: bytes) -> dict[int, bytes]:
    """Each picture with a directory of its own."""
    zero, kind, count = struct.unpack_from("<HHH", data)
    assert (zero, kind) == (0, 1)
    found, end = {}, 6 + 16 * count
    for number in range(count):
        width, height, *_, size, offset = struct.unpack_from("<BBBBHHII", data, 6 + 16 * number)
        assert (width, offset) == (height, end)
        found[width or 256] = data[offset : offset + size]
        end += size
    assert end == len(data)
    return found


def of_icns(data: bytes) -> dict[bytes, bytes]:
    assert data[:4] == b"icns"
    assert struct.unpack_from(">I", data, 4) == (len(data),)
    found, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at + 4)
        found[data[at : at + 4]] = data[at + 8 : at + size]
        at += size
    assert at == len(data)
    return found


@pytest.mark.parametrize("size", PNG_SIZES)
def test_png(application: QApplication, size: int) -> None:
    image = loaded(asset(f"resources/icons/app/ssgui-{size}.png").read_bytes())
    assert difference(image, app_icons.draw(size)) < 3, "the logo changed: run tools/icons"


def test_ico(application: QApplication) -> None:
    pictures = of_ico(asset("resources/icons/app/ssgui.ico").read_bytes())
    assert tuple(pictures) == ICO_SIZES
    for size, data in pictures.items():
        alone = app_icons.ico({size: data})
        image = loaded(alone)
        assert image.width() == size
        assert difference(image, app_icons.draw(size)) < 3


def test_icns(application: QApplication) -> None:
    pictures = of_icns(asset("resources/icons/app/ssgui.icns").read_bytes())
    assert list(pictures) == list(ICNS_TYPES)
    for kind, data in pictures.items():
        image = loaded(data)
        assert image.width() == ICNS_TYPES[kind]
        edge = image.width() // 20
        assert image.pixelColor(edge, image.width() // 2).alpha() == 0, "macOS wants air around it"
        assert image.pixelColor(image.width() // 5, image.width() // 2).alpha() == 255


def test_they_are_drawn_anew(application: QApplication, tmp_path: Path) -> None:
    app_icons.write(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in asset("resources/icons/app").iterdir()}
