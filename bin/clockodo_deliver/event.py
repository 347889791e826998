"""An event, and what sources and targets have to do with it."""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass
from typing import Any, Iterator, Protocol

FIELDS = ("event", "entity", "action", "entity_id", "subscription_id",
          "company_id", "occurred_at", "idempotency_key")


class Trouble(Exception):
    """Of a source: it is away, or it cannot do what it should."""


class Invalid(Exception):
    """What is there is no event."""


@dataclass
class Event:
    """What is handed over; token is for the source that it came from."""

    id: str
    fields: dict[str, str]
    body: bytes
    since: float
    tries: int = 0
    nonce: str = ""
    token: Any = None

    def check(self) -> None:
        """What the module has stored has nothing else in its fields."""
        text = "\n".join(self.fields.get(name, "\n") for name in FIELDS)

        if not re.fullmatch(r"([ -~]*\n){7}[0-9a-f]{64}", text):
            raise Invalid("this is no event of clockodo's")


@dataclass
class Outcome:
    """error is None if it was taken; after is Retry-After, in seconds."""

    error: str | None = None
    never: bool = False
    after: float = 0


@dataclass
class Backoff:
    least: float
    most: float
    give_up: float

    def delay(self, event: Event, outcome: Outcome) -> float:
        wait = self.least * 2.0 ** min(event.tries - 1, 60)
        wait = min(self.most, max(wait, outcome.after))

        # not earlier than a server has asked for

        jitter = random.uniform(1 if outcome.after else 0.75, 1.25)

        return min(self.most, wait * jitter)

    def is_over(self, event: Event, outcome: Outcome) -> bool:
        return outcome.never or time.time() - event.since >= self.give_up


@dataclass
class Item:
    """A line of "list"."""

    id: str
    state: str
    event: str
    since: float
    tries: int = 0
    due: float | None = None
    error: str | None = None


@dataclass
class Status:
    """A reply of "status"."""

    new: int = 0
    waiting: int = 0
    dead: int = 0
    oldest: float | None = None
    last_error: dict[str, Any] | None = None

    def seen(self, since: float) -> None:
        self.oldest = min(since, self.oldest or since)

    def failed(self, key: str, record: dict[str, Any]) -> None:
        if record.get("error") and (
                self.last_error is None
                or record.get("at", 0) >= self.last_error["at"]):
            self.last_error = {"id": key, "at": record.get("at", 0),
                               "error": record["error"]}


class Source(Protocol):
    """Where events come from.

    All of these raise Trouble, and read Invalid.  take_new, take_due, wait, empty
    and close are for one thread, the others for any.
    """

    def prepare(self) -> None: ...
    def take_new(self, most: int) -> list[Event]: ...
    def take_due(self, most: int) -> list[Event]: ...
    def wait(self, seconds: float) -> None: ...
    def empty(self) -> bool: ...
    def done(self, event: Event) -> None: ...
    def failed(self, event: Event, error: str, delay: float) -> None: ...
    def bury(self, event: Event, error: str) -> None: ...
    def close(self) -> None: ...
    def read(self, event: Event) -> None: ...
    def list(self) -> Iterator[Item]: ...
    def status(self, errors: bool = True) -> Status: ...
    def retry(self, key: str, dead: bool) -> bool: ...
    def drop(self, key: str, dead: bool) -> bool: ...


class Target(Protocol):
    def deliver(self, event: Event) -> Outcome: ...


def age(since: float | None) -> float | None:
    return None if since is None else max(0.0, time.time() - since)


def plural(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
