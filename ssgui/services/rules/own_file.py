"""The file of a person's own rules, which other programs may edit too."""

import logging

from ssgui.engine.tasks import run_blocking
from ssgui.services.rules.lists import MOST_USER_BYTES, RuleFolder, user_text_of

_log = logging.getLogger("ssgui")


class RulesError(Exception):
    """Rules could not be kept; says where and why."""


class OwnFile:
    """`text` is what it says, None until it was read; `error` why that is not what is in the file.

    Without `keep` nothing is written.
    """

    def __init__(self, folder: RuleFolder, *, keep: bool) -> None:
        self._folder, self._keep = folder, keep
        self.text: str | None = None
        self.error = ""

    def read(self) -> None:
        """For the first time; blocks."""
        try:
            self.text = self._folder.user_text()
        except OSError as error:
            self.text, self.error = "", self._cannot("read", error)
            _log.error("%s", self.error)

    async def read_again(self) -> bool:
        """Whether another program has changed it; that holds then. RulesError."""
        try:
            text = await run_blocking(self._folder.user_text)
        except OSError as error:
            self.error = self._cannot("read", error)
            raise RulesError(self.error) from None
        self.error, failed = "", self.error
        if text == self.text and not failed:
            return False
        self.text = text
        return True

    async def save(self, text: str) -> None:
        """Keep `text`. RulesError, and what was there holds.

        What another program has written meanwhile is not replaced: it is read, and a second attempt replaces it.
        """
        data = text.encode("utf-8", "replace")
        if len(data) > MOST_USER_BYTES:
            raise RulesError(f"more than {MOST_USER_BYTES >> 20} MiB of rules")
        text = user_text_of(data)
        if self._keep:
            before = self.text
            await self.read_again()
            if self.text not in (before, text):
                raise RulesError("your rules were changed in their file meanwhile: look at them before you save")
            try:
                await run_blocking(self._folder.save_user, text)
            except OSError as error:
                raise RulesError(self._cannot("written", error)) from None
        self.text = text

    def _cannot(self, what: str, error: OSError) -> str:
        return f"{self._folder.user_path} cannot be {what}: {error.strerror or error}"
