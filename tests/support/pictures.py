"""The pictures of the README, out of those that `make screenshots` made, in few colours and so small.

python -m tests.support.pictures build/screenshots docs/pictures
"""

import sys
from collections import Counter
from pathlib import Path

from PySide6.QtGui import QImage, QImageWriter

CHOSEN = {
    "servers": "servers-usual-light-en-1.5x",
    "connections": "detail-wide-usual-dark-en-1.5x",
    "rules": "rules-usual-light-en-1.5x",
    "chinese": "servers-edit-usual-dark-zh_CN-1.5x",
}


def colours(image: QImage) -> list[int]:
    """The 256 that most pixels have: a window has few, and the rest are edges of letters."""
    pixels = memoryview(image.constBits()).cast("B").cast("I")
    return [one for one, _count in Counter(pixels).most_common(256)]


def main(source: Path, target: Path) -> None:
    """Write them."""
    target.mkdir(parents=True, exist_ok=True)
    for name, picture in CHOSEN.items():
        image = QImage(str(source / f"{picture}.png")).convertToFormat(QImage.Format.Format_RGB32)
        few = image.convertToFormat(QImage.Format.Format_Indexed8, colours(image))
        writer = QImageWriter(str(target / f"{name}.png"))
        writer.setCompression(100)
        if not writer.write(few):
            raise SystemExit(f"{name}: {writer.errorString()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
