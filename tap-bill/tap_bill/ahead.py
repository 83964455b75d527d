"""Sends requests ahead of their time, up to three side by side, and hands over the answers in order.

Threads send requests and wait for answers, nothing else. What follows from an answer is decided in the one
thread that writes the messages: while it waits for a page, or between two pages that it has written. How
much may lie ready is bounded, so a reader that is slow slows the requests down.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

#: Pages that may lie ready or be under way, of the stream that is being written and of all that follow it.
MOST_PAGES = 32
#: Of those, for streams that follow.
MOST_LATER = 16


@dataclass(frozen=True, slots=True)
class Request:
    """Something to ask for.

    Attributes:
        send: Asks, in any thread, and returns what came.
        arrived: Takes what came.
        failed: Takes what `send` raised.
    """

    send: Callable[[], Any]
    arrived: Callable[[Any], None]
    failed: Callable[[Exception], None]


_Jobs: TypeAlias = "queue.SimpleQueue[Request | None]"
_Answers: TypeAlias = "queue.SimpleQueue[tuple[Request, Any, Exception | None]]"


class Pages(Protocol):
    """A list being read."""

    @property
    def is_read(self) -> bool:
        """Whether all has come that will come."""

    def take(self) -> list[dict[str, Any]] | None:
        """The next page; None if it has not come yet, or none will."""


class Source(Protocol):
    """A stream that can be begun before its turn."""

    @property
    def held(self) -> int:
        """Pages that came and were not taken."""

    def next_request(self, *, room: bool) -> Request | None:
        """The request to send next; without `room` only one that nothing can be taken before."""


class ReadAhead:
    """Lets streams ask for pages before they are wanted."""

    def __init__(self, *, threads: int) -> None:
        """Ask for up to `threads` pages at a time."""
        self._threads = threads
        self._later: deque[Source] = deque()
        self._begin_anew()

    def announce(self, sources: Iterable[Source]) -> None:
        """Say which streams will be read, in order."""
        self._later = deque(sources)

    def begin(self, source: Source) -> None:
        """It is this stream's turn."""
        while any(later is source for later in self._later):
            self._later.popleft()

    def pages(self, source: Source, wanted: Pages) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list as they come, in order.

        Args:
            source: The stream whose turn it is.
            wanted: The list of the stream.

        Raises:
            Exception: What a request raised, when all before it was handed over.
        """
        while True:
            while not self._answers.empty():
                self._hand_over(self._answers.get())
            page = wanted.take()
            self._fill(source)
            if page is not None:
                yield page
            elif wanted.is_read:
                return
            else:
                self._hand_over(self._answers.get())

    def stop(self) -> None:
        """Send nothing more. What is under way is not waited for, and its answers are lost."""
        self._dismiss()
        self._later.clear()
        self._begin_anew()

    def __del__(self) -> None:
        self._dismiss()

    def _dismiss(self) -> None:
        for _ in range(self._started):
            self._jobs.put(None)

    def _begin_anew(self) -> None:
        self._jobs: _Jobs = queue.SimpleQueue()
        self._answers: _Answers = queue.SimpleQueue()
        self._started = 0
        self._under_way = 0

    def _fill(self, source: Source) -> None:
        while self._under_way < self._threads:
            later = sum(other.held for other in self._later)
            held = source.held + later + self._under_way
            request = source.next_request(room=held < MOST_PAGES)
            if request is None and later + self._under_way < MOST_LATER and held < MOST_PAGES:
                asked = (other.next_request(room=True) for other in self._later)
                request = next((found for found in asked if found is not None), None)
            if request is None:
                return
            self._send(request)

    def _send(self, request: Request) -> None:
        self._under_way += 1
        if self._started < self._under_way:
            self._started += 1
            # The process does not wait for a thread that waits for an answer.
            threading.Thread(target=_work, args=(self._jobs, self._answers), daemon=True).start()
        self._jobs.put(request)

    def _hand_over(self, answer: tuple[Request, Any, Exception | None]) -> None:
        request, came, error = answer
        self._under_way -= 1
        if error is None:
            request.arrived(came)
        else:
            request.failed(error)


def _work(jobs: _Jobs, answers: _Answers) -> None:
    while (request := jobs.get()) is not None:
        try:
            came, error = request.send(), None
        except Exception as raised:  # noqa: BLE001 - it is raised where the answer is wanted
            came, error = None, raised
        answers.put((request, came, error))
        del request, came, error
