"""The program's icon as files: PNG for Linux, .ico for Windows, .icns for macOS, all drawn from the logo.

    tools/icons            draws them anew into resources/icons/app

Both containers are simple. An .ico is a directory of pictures: bitmaps up to 64 pixels, which every reader
knows, PNG above. An .icns is a list of PNG, each behind its type, which tells its size in points and pixels.
"""

import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter

from ssgui.gui import icons, theme

PNG_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 256)
ICNS_TYPES = {
    b"icp4": 16, b"icp5": 32, b"ic07": 128, b"ic08": 256, b"ic09": 512, b"ic10": 1024,
    b"ic11": 32, b"ic12": 64, b"ic13": 256, b"ic14": 512,
}  # fmt: skip
_MAC_SHARE = 824 / 1024  # of the canvas: macOS wants room around an icon
_MOST_BITMAP = 64


def draw(size: int, share: float = 1.0) -> QImage:
    """The logo in the middle of `size` pixels, `share` of them wide."""
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    side = max(1, round(size * share))
    side -= (size - side) % 2  # as much air on the left as on the right
    with QPainter(image) as painter:
        edge = (size - side) // 2
        painter.translate(edge, edge)
        icons.draw_logo(painter, QRectF(0, 0, side, side), theme.LIGHT)
    return image


def png(image: QImage) -> bytes:
    """As a PNG file."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(data.data())


def bitmap(image: QImage) -> bytes:
    """As an .ico holds it: a header of twice the height, pixels from below as BGRA, and a mask of zeros."""
    size = image.width()
    plain = image.convertToFormat(QImage.Format.Format_ARGB32)
    pixels: Any = plain.constBits()  # a view: `plain` must live as long
    rows = [bytes(pixels[4 * size * row : 4 * size * (row + 1)]) for row in reversed(range(size))]
    mask = bytes((size + 31) // 32 * 4 * size)
    header = struct.pack("<IiiHHIIiiII", 40, size, 2 * size, 1, 32, 0, 4 * size * size + len(mask), 0, 0, 0, 0)
    return header + b"".join(rows) + mask


def ico(pictures: Mapping[int, bytes]) -> bytes:
    """An .ico of `pictures`, each a bitmap or PNG of that many pixels."""
    offset = 6 + 16 * len(pictures)
    directory, body = struct.pack("<HHH", 0, 1, len(pictures)), b""
    for size, data in pictures.items():
        directory += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), offset + len(body))
        body += data
    return directory + body


def icns(pictures: Mapping[bytes, bytes]) -> bytes:
    """An .icns of `pictures`, PNG by type."""
    body = b"".join(kind + struct.pack(">I", 8 + len(data)) + data for kind, data in pictures.items())
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def write(folder: Path) -> None:
    """Draw all of them into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in PNG_SIZES:
        (folder / f"ssgui-{size}.png").write_bytes(png(draw(size)))
    pictures = {size: bitmap(draw(size)) if size <= _MOST_BITMAP else png(draw(size)) for size in ICO_SIZES}
    (folder / "ssgui.ico").write_bytes(ico(pictures))
    mac = {kind: png(draw(size, _MAC_SHARE)) for kind, size in ICNS_TYPES.items()}
    (folder / "ssgui.icns").write_bytes(icns(mac))


if __name__ == "__main__":
    application = QGuiApplication(["ssgui", "-platform", "offscreen"])
    write(Path(sys.argv[1]))
