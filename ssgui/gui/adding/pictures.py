"""QR codes: found in pictures, and drawn."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

_SMALL = 1200  # pixels of a side, below which a code of one pixel a module may be enlarged
MOST_PIXELS = 100_000_000
_QUIET = 4  # modules around a code


def read_codes(pictures: Iterable[QImage]) -> list[str]:
    """The text of every QR code in `pictures`, each once. This takes time: it is work for a thread."""
    import zxingcpp

    found: dict[str, None] = {}
    for picture in pictures:
        if picture.isNull() or picture.width() * picture.height() > MOST_PIXELS:
            continue
        grey = picture.convertToFormat(QImage.Format.Format_Grayscale8)
        texts = _texts(zxingcpp, grey)
        if not texts and max(grey.width(), grey.height()) <= _SMALL:
            bigger = grey.scaled(grey.size() * 4, mode=Qt.TransformationMode.FastTransformation)
            texts = _texts(zxingcpp, bigger)
        found |= dict.fromkeys(texts)
    return list(found)


def _texts(zxingcpp: object, grey: QImage) -> list[str]:
    width, height, stride = grey.width(), grey.height(), grey.bytesPerLine()
    lines = memoryview(bytes(grey.constBits())).cast("B", shape=[height, stride])
    view = zxingcpp.ImageView(lines, width, height, zxingcpp.ImageFormat.Lum, stride)  # type: ignore[attr-defined]
    codes = zxingcpp.read_barcodes(view, formats=zxingcpp.BarcodeFormat.QRCode)  # type: ignore[attr-defined]
    return [code.text for code in codes if code.text]


def draw_code(text: str, module: int) -> QImage:
    """The QR code of `text`, dark on white whatever the theme, `module` pixels a module, quiet zone included.

    ValueError when it is too long for one.
    """
    import segno

    try:
        rows = [bytes(row) for row in segno.make_qr(text, error="m", boost_error=False).matrix]
    except segno.DataOverflowError:
        try:
            rows = [bytes(row) for row in segno.make_qr(text, error="l", boost_error=False).matrix]
        except segno.DataOverflowError:
            raise ValueError("too long for a QR code") from None
    side = len(rows) + 2 * _QUIET
    image = QImage(side, side, QImage.Format.Format_Grayscale8)
    image.fill(0xFF)  # paper: the picture is for cameras, not of the theme
    for y, row in enumerate(rows, _QUIET):
        for x, dark in enumerate(row, _QUIET):
            if dark:
                image.setPixel(x, y, 0)
    return image.scaled(image.size() * module, mode=Qt.TransformationMode.FastTransformation)
