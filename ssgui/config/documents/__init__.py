"""Documents of other programs: read whatever they are (`read_document`), and write what they read (`writers`).

One module for each format, `registry` knows them all. Every entry is either taken or named in a note; nothing is
dropped without a word. Nothing in here starts a plugin, fetches anything or writes a file.
"""

from ssgui.config.documents.content import MAX_DOCUMENT
from ssgui.config.documents.registry import FORMATS, read_document
from ssgui.config.documents.result import Imported, ImportedServer, Note, SettingHints, Severity

__all__ = [
    "FORMATS",
    "MAX_DOCUMENT",
    "Imported",
    "ImportedServer",
    "Note",
    "SettingHints",
    "Severity",
    "read_document",
]
