"""Which event is delivered when, and what becomes of it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable

from .event import (Backoff, Event, Invalid, Outcome, Source, Target, Trouble,
                    plural)

SHARE = 16              # new events between two retries, while there are new

log = logging.getLogger("clockodo-deliver")


@dataclass
class Counts:
    """For Prometheus."""

    BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60)

    tries: dict[str, int] = field(default_factory=lambda: {
        "taken": 0, "failed": 0, "never": 0})
    seconds: float = 0
    within: list[int] = field(default_factory=lambda: [0] * len(Counts.BUCKETS))
    troubles: int = 0
    last_taken: float = 0

    def add(self, kind: str, seconds: float) -> None:
        self.tries[kind] += 1
        self.seconds += seconds

        for i, most in enumerate(self.BUCKETS):
            self.within[i] += seconds <= most

        if kind == "taken":
            self.last_taken = time.time()


class Schedule:
    """One thread takes events from the source, others deliver them."""

    PAUSE = 1.0         # seconds, when the source is in trouble
    STOP = 5            # tries to settle when told to stop

    def __init__(self, source: Source, target: Target, backoff: Backoff,
                 jobs: int, exit_after: float | None) -> None:
        self.source = source
        self.target = target
        self.backoff = backoff
        self.jobs = jobs
        self.exit_after = exit_after

        self.running = True
        self.counts = Counts()

        self.work: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.change = threading.Condition()
        self.busy = 0
        self.retrying = 0
        self.fresh = 0      # new ones since a retry had its turn

    def stop(self, *_: Any) -> None:
        self.running = False

    def run(self) -> None:
        threads = [threading.Thread(target=self.worker)
                   for _ in range(self.jobs)]

        for thread in threads:
            thread.start()

        try:
            self.dispatch()
        finally:
            for _ in threads:
                self.work.put(None)
            for thread in threads:
                thread.join()

    def dispatch(self) -> None:
        idle = time.monotonic()

        while self.running:
            with self.change:
                if self.busy == self.jobs:
                    self.change.wait(0.5)
                    continue
                free = self.jobs - self.busy
                room = max(1, self.jobs // 2) - self.retrying

            try:
                if self.pick(free, room):
                    continue

                if self.busy or not self.source.empty():
                    idle = time.monotonic()
                elif (self.exit_after is not None
                      and time.monotonic() >= idle + self.exit_after):
                    break

                self.source.wait(0.5)

            except Trouble as trouble:
                self.counts.troubles += 1
                log.error("%s", trouble)
                time.sleep(self.PAUSE)

        try:
            self.source.close()
        except Trouble as trouble:
            log.error("%s", trouble)

    def pick(self, free: int, room: int) -> bool:
        """Whether there was anything."""
        had = 0

        if room > 0 and self.fresh >= SHARE:
            had += self.start(self.source.take_due(1))
            self.fresh = 0
            room -= had

        if free > had:
            new = self.start(self.source.take_new(free - had))
            self.fresh += new
            had += new

        if room > 0 and free > had:
            had += self.start(self.source.take_due(min(room, free - had)))

        return had > 0

    def start(self, events: list[Event]) -> int:
        for event in events:
            with self.change:
                self.busy += 1
                self.retrying += event.tries > 0
            self.work.put(event)

        return len(events)

    def worker(self) -> None:
        while True:
            event = self.work.get()

            if event is None:
                return

            again = event.tries > 0

            try:
                self.handle(event)
            except Exception:       # a fault of ours must not end a thread
                log.exception("%s", event.id)
            finally:
                with self.change:
                    self.busy -= 1
                    self.retrying -= again
                    self.change.notify()

    def handle(self, event: Event) -> None:
        began = time.monotonic()
        event.tries += 1

        try:
            self.source.read(event)
            event.check()
            outcome = self.target.deliver(event)
        except Invalid as error:
            outcome = Outcome(str(error), never=True)
        except Exception as error:
            log.exception("%s", event.id)
            outcome = Outcome(f"a fault of ours: {type(error).__name__}")

        seconds = time.monotonic() - began
        kind = ("taken" if outcome.error is None
                else "never" if outcome.never else "failed")

        with self.change:
            self.counts.add(kind, seconds)

        name = ascii(event.fields.get("event", "?"))[1:-1]

        if outcome.error is None:
            log.info("%s %s: taken in %.3f s", event.id, name, seconds)
            self.settle(self.source.done, event)

        elif self.backoff.is_over(event, outcome):
            log.error("%s %s: %s, put aside after %s", event.id, name,
                      outcome.error, plural(event.tries, "try", "tries"))
            self.settle(self.source.bury, event, outcome.error)

        else:
            delay = self.backoff.delay(event, outcome)
            log.warning("%s %s: %s, again in %.1f s", event.id, name,
                        outcome.error, delay)
            self.settle(self.source.failed, event, outcome.error, delay)

    def settle(self, how: Callable[..., None], *words: Any) -> None:
        """Until it is known, however long the source is away."""
        left = self.STOP

        while left:
            try:
                how(*words)
                return
            except Trouble as trouble:
                self.counts.troubles += 1
                log.error("%s", trouble)

            left -= not self.running
            time.sleep(self.PAUSE)
