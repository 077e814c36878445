"""Which processes of ours run, as they say themselves."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from ssgui.services.control.client import ControlError, Json, ask_place
from ssgui.services.control.places import places

_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Instance:
    """A process: where it is asked, and its answer to "hello"; `fault` says why there is none."""

    place: str
    about: Json
    fault: str = ""

    @property
    def pid(self) -> int:
        """Its process id, 0 if it does not say."""
        pid = self.about.get("pid")
        return pid if isinstance(pid, int) else 0

    @property
    def role(self) -> str:
        """app, local, tunnel or server."""
        return str(self.about.get("role", "?"))

    @property
    def listens(self) -> list[str]:
        """Where it listens."""
        listens = self.about.get("listens")
        return [str(one) for one in listens] if isinstance(listens, list) else []


async def find_instances(more: Iterable[str] = ()) -> list[Instance]:
    """Those of this user that run, for root everybody's; `more` are places to try too. Dead ones are left out."""
    found = await asyncio.gather(*(_hello(place) for place in dict.fromkeys((*places(), *more))))
    alive = [one for one in found if one is not None]
    return sorted(alive, key=lambda one: (one.role, one.pid))


async def _hello(place: str) -> Instance | None:
    try:
        return Instance(place, await ask_place(place, {"do": "hello"}, _SECONDS))
    except ControlError as error:
        return Instance(place, {}, str(error)) if error.reached else None
