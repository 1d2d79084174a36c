"""What a painting would take, asked of a daemon that runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from impasto_protocol.errors import ImpastoError
from impasto_protocol.messages import Estimate, Estimated

if TYPE_CHECKING:
    from impasto_protocol.client import Client


class Estimates:
    """Answers the questions that were asked last, one after the other.

    show: called with the answers by the names of their questions as they come; with none while
    there is no answer.
    """

    def __init__(self, show: Callable[[Mapping[str, Estimated]], None]) -> None:
        self._show = show
        self._wanted: Mapping[str, Estimate] = {}
        self._asked: Mapping[str, Estimate] = {}
        self._waiting: list[str] = []
        self._found: dict[str, Estimated] = {}
        self._request: tuple[str, int] | None = None

    def ask(self, questions: Mapping[str, Estimate]) -> None:
        """Have these answered instead of what was asked before, the first of them first."""
        self._wanted = questions

    def exchange(self, client: Client) -> None:
        """Take an answer that has arrived, and ask what is to be asked next."""
        if self._request:
            (name, number), message = self._request, None
            with suppress(ImpastoError):  # such as that of an older daemon, and no answer
                if not (answered := client.answer(number)):
                    return
                message = answered[0]
            self._request = None
            if self._wanted == self._asked:
                if isinstance(message, Estimated):
                    self._found[name] = message
                self._show(self._found)
        if self._wanted != self._asked:
            self._asked, self._found = self._wanted, {}
            understood = Estimate.type in client.welcome.capabilities
            self._waiting = list(self._asked) if understood else []
            if not self._waiting:
                self._show({})
        if self._waiting:
            name = self._waiting.pop(0)
            self._request = name, client.request(self._asked[name])

    def lose(self) -> None:
        """There is no daemon; what was asked is asked again of the next one."""
        self._asked, self._waiting, self._found, self._request = {}, [], {}, None
        self._show({})

    def leave(self, client: Client) -> None:
        """Nothing need be said: an answer that nobody waits for is no harm."""
