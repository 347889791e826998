"""A spool: a folder of files, by clockodo_spool."""

from __future__ import annotations

import fcntl
import heapq
import json
import logging
import os
import re
import stat
import time
from typing import Any, Callable, Iterator

from .event import Event, Invalid, Item, Status, Trouble

log = logging.getLogger("clockodo-deliver")


class Number(str):
    """A number as it was sent."""


def spooled_fields(body: bytes, key: str, anonymous: bool) -> dict[str, str]:
    """Raises Invalid."""

    def text(value: Any, kind: type) -> str:
        if type(value) is not kind:
            raise Invalid("this is no event of clockodo's")
        return str(value)

    def member(value: Any, name: str) -> Any:
        return value.get(name) if isinstance(value, dict) else None

    try:
        data = json.loads(body.decode(), parse_int=Number, parse_float=Number)
    except (ValueError, RecursionError) as error:
        raise Invalid("the body is no JSON") from error

    event = text(member(data, "event_name"), str)
    entity, _, action = event.partition(".")

    owner = payload = member(data, "payload")

    if event != "project.budget_notification":
        owner = member(payload, entity)

    number = "" if anonymous else member(owner, "id")

    return {
        "event": event,
        "entity": entity,
        "action": action,
        "entity_id": number if type(number) is Number else "",
        "subscription_id": text(member(data, "subscription_id"), Number),
        "company_id": text(member(data, "company_id"), Number),
        "occurred_at": text(member(data, "occurred_at"), str),
        "idempotency_key": key,
    }


class Spool:
    """PATH/new has what was not taken yet.

    PATH/retry/NAME says how often an event was tried and why it failed; the
    time of that file is that of the next try.  Who works on an event has its
    file locked.  PATH/dead/NAME.json was put aside, PATH/dead/NAME.why says
    why.
    """

    NAME = re.compile(r"(([0-9a-f]{64})(?:\.([0-9a-f]{16}))?)\.json")
    POLL = 0.1          # seconds between two looks at a folder
    RESCAN = 10.0       # seconds, for what others have done meanwhile
    LATER = 60.0        # seconds, for a file that cannot be read

    def __init__(self, path: str, retry_max: float = 0) -> None:
        self.new = os.path.join(path, "new")
        self.records = os.path.join(path, "retry")
        self.dead = os.path.join(path, "dead")
        self.retry_max = retry_max

        self.fresh: list[str] = []
        self.waiting: list[tuple[float, str]] = []
        self.held: set[str] = set()
        self.warned: set[str] = set()

        # what could not be written down, the disk being full
        self.memory: dict[str, dict[str, Any]] = {}

        self.seen: tuple[int, int] | None = None
        self.again = True
        self.scanned = 0.0
        self.pause = self.POLL

    def prepare(self) -> None:
        try:
            os.scandir(self.new).close()
            for folder in (self.records, self.dead):
                os.makedirs(folder, 0o700, exist_ok=True)
                os.scandir(folder).close()
        except OSError as error:
            raise Trouble(f"{error}; a spool is made by nginx and belongs to "
                          "its workers' user, as who this has to run"
                          ) from error

    # what there is

    def names(self, folder: str, ending: str = ".json") -> dict[str, float]:
        """The times of files, by their names without the ending."""
        found = {}

        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name
                    if not self.NAME.fullmatch(name + ".json"[len(ending):]):
                        if folder == self.new:
                            self.warn(name, "no file of clockodo's")
                        continue
                    try:
                        found[name[:len(name) - len(ending)]] = entry.stat(
                            follow_symlinks=False).st_mtime
                    except FileNotFoundError:
                        pass
        except OSError as error:
            # the other folders are made by the first "run"

            if folder == self.new or not isinstance(error, FileNotFoundError):
                raise Trouble(str(error)) from error

        return found

    def warn(self, name: str, why: str) -> None:
        if name not in self.warned:
            self.warned.add(name)
            log.warning("%s: %s: left alone", ascii(name), why)

    def changed(self) -> bool:
        """A file that comes right now may have the time of the last look: so
        there is another one after each change."""
        try:
            seen = (os.stat(self.new).st_mtime_ns,
                    os.stat(self.records).st_mtime_ns)
        except OSError as error:
            raise Trouble(str(error)) from error

        again, self.again = self.again, seen != self.seen
        self.seen = seen

        return again or self.again

    def scan(self) -> None:
        now = time.monotonic()

        if now < self.scanned + self.pause or not (
                self.changed() or now >= self.scanned + self.RESCAN):
            return

        records = self.names(self.records, "")
        files = self.names(self.new)

        for name in records.keys() - files.keys() - self.held:
            self.forget(name)

        for name in set(self.memory) - files.keys() - self.held:
            self.memory.pop(name, None)

        fresh = {name: time for name, time in files.items()
                 if name not in records and name not in self.memory
                 and name not in self.held}

        self.fresh = sorted(fresh, key=fresh.__getitem__, reverse=True)
        self.waiting = [(self.due(name, records.get(name, 0)), name)
                        for name in files
                        if name not in fresh and name not in self.held]
        heapq.heapify(self.waiting)

        self.scanned = time.monotonic()
        self.pause = max(self.POLL, 5 * (self.scanned - now))

    def due(self, name: str, when: float) -> float:
        """Nothing waits longer than --retry-max, even if a clock was wrong."""
        when = float(self.memory.get(name, {}).get("due", when))
        latest = time.time() + max(self.retry_max, self.LATER)

        return 0 if when > latest else when

    @staticmethod
    def time(record: str) -> float:
        """Of the next try; 0 if there was none."""
        try:
            return os.stat(record).st_mtime
        except FileNotFoundError:
            return 0

    def record(self, path: str) -> dict[str, Any]:
        try:
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            record = None

        if not isinstance(record, dict) or type(record.get("tries")) is not int:
            record = {"tries": 1, "error": "unknown"}

        return {"error": None, "at": 0, **record}

    # taking

    def take_new(self, most: int) -> list[Event]:
        if not self.fresh:
            self.scan()

        events: list[Event] = []

        while self.fresh and len(events) < most:
            events += self.take(self.fresh.pop())

        return events

    def take_due(self, most: int) -> list[Event]:
        events: list[Event] = []
        self.scan()

        while (self.waiting and len(events) < most
               and self.waiting[0][0] <= time.time()):
            events += self.take(heapq.heappop(self.waiting)[1])

        return events

    def take(self, name: str, anyway: bool = False) -> list[Event]:
        """One, which is locked then, or none."""
        path = os.path.join(self.new, name + ".json")
        record_path = os.path.join(self.records, name)

        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return []
        except OSError as error:
            self.warn(name + ".json", error.strerror or "not to be opened")
            return []

        try:
            info = os.fstat(fd)

            if not stat.S_ISREG(info.st_mode):
                self.warn(name + ".json", "no regular file")
                return []

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

            # it may have gone, or moved, until it was locked

            if os.lstat(path).st_ino != info.st_ino:
                return []

            # another process, or a thread of ours, may have tried it meanwhile

            due = self.due(name, self.time(record_path))

            if due > time.time() and not anyway:
                heapq.heappush(self.waiting, (due, name))
                return []

            record = self.memory.get(name) or self.record(record_path)

            with open(fd, "rb", closefd=False) as file:
                event = Event(name, {}, file.read(), info.st_mtime,
                              record.get("tries", 0), token=fd)
            self.held.add(name)
            fd = -1

            return [event]

        except (BlockingIOError, FileNotFoundError):
            return []               # another one works on it, or has taken it
        except OSError as error:
            self.put_off(name, 1, error)
            return []
        finally:
            if fd != -1:
                os.close(fd)

    @staticmethod
    def read(event: Event) -> None:
        """Raises Invalid."""
        key, _, event.nonce = event.id.partition(".")
        event.fields = spooled_fields(event.body, key, event.nonce != "")

    def put_off(self, name: str, tries: int, error: OSError) -> None:
        log.error("%s: %s", name, error)

        now = time.time()
        self.memory[name] = {"tries": tries, "error": str(error), "at": now,
                             "due": now + self.LATER}

    def wait(self, seconds: float) -> None:
        time.sleep(min(seconds, self.POLL))

    def empty(self) -> bool:
        """Nothing at all: or a path unit would start us over and over."""
        try:
            with os.scandir(self.new) as entries:
                return next(entries, None) is None
        except OSError as error:
            raise Trouble(str(error)) from error

    def close(self) -> None:
        """All that is at hand is settled."""

    # settling

    def forget(self, name: str) -> None:
        self.memory.pop(name, None)
        unlink(os.path.join(self.records, name))

    def settle(self, event: Event, act: Callable[[str], None]) -> None:
        """What cannot be written down must not be tried all the time."""
        try:
            act(os.path.join(self.new, event.id + ".json"))
        except OSError as error:
            self.put_off(event.id, event.tries, error)

        self.release(event)

    def release(self, event: Event) -> None:
        self.held.discard(event.id)

        if event.token is not None:
            os.close(event.token)
            event.token = None

    def done(self, event: Event) -> None:

        # in this order, so that no other event of this name finds the record

        def act(path: str) -> None:
            self.forget(event.id)
            unlink(path)

        self.settle(event, act)

    def failed(self, event: Event, error: str, delay: float) -> None:
        due = time.time() + delay
        record = {"tries": event.tries, "error": error, "at": time.time()}

        def act(_: str) -> None:
            write(os.path.join(self.records, event.id), record, due)
            self.memory.pop(event.id, None)

        self.settle(event, act)

    def bury(self, event: Event, error: str) -> None:
        grave = os.path.join(self.dead, event.id)

        def act(path: str) -> None:
            write(grave + ".why", {"tries": event.tries, "error": error,
                                   "at": time.time(), "since": event.since})
            self.forget(event.id)
            os.rename(path, grave + ".json")
            flush(self.dead)
            flush(self.new)

        self.settle(event, act)

    # for people

    def list(self) -> Iterator[Item]:
        records = self.names(self.records, "")

        for folder, state in (self.new, "new"), (self.dead, "dead"):
            files = self.names(folder)

            for name in sorted(files, key=files.__getitem__):
                item = Item(name, state, "?", files[name])
                record = {}

                if state == "dead":
                    record = self.record(os.path.join(folder, name + ".why"))
                elif name in records:
                    record = self.record(os.path.join(self.records, name))
                    item.state, item.due = "waiting", records[name]

                item.tries = record.get("tries", 0)
                item.error = record.get("error")

                try:
                    path = os.path.join(folder, name + ".json")
                    with open(path, "rb") as file:
                        event = Event(name, {}, file.read(), 0)
                    self.read(event)
                    item.event = event.fields["event"]
                except FileNotFoundError:
                    continue
                except (OSError, Invalid):
                    pass

                yield item

    def status(self, errors: bool = True) -> Status:
        status = Status()
        records = self.names(self.records, "")
        files = self.names(self.new)

        for name, since in files.items():
            status.seen(since)
            if name in records:
                status.waiting += 1
                if errors:
                    status.failed(name, self.record(
                        os.path.join(self.records, name)))
            else:
                status.new += 1

        for name in self.names(self.dead):
            status.dead += 1
            if errors:
                status.failed(name, self.record(
                    os.path.join(self.dead, name + ".why")))

        return status

    def retry(self, key: str, dead: bool) -> bool:
        grave = os.path.join(self.dead, key)
        path = os.path.join(self.new, key + ".json")

        try:
            if not dead:
                # a new time of the folder is what a process looks at

                os.utime(os.path.join(self.records, key))
                os.utime(self.records)
                return True

            os.utime(grave + ".json")

            try:
                os.link(grave + ".json", path)
            except FileExistsError:
                pass                # the same event has come again

            flush(self.new)
            unlink(grave + ".json")
            unlink(grave + ".why")

            return True

        except FileNotFoundError:
            return not dead and os.path.exists(path)    # a new one
        except OSError as error:
            raise Trouble(str(error)) from error

    def drop(self, key: str, dead: bool) -> bool:
        try:
            if dead:
                grave = os.path.join(self.dead, key)
                unlink(grave + ".why")
                return unlink(grave + ".json")

            if not os.path.exists(os.path.join(self.new, key + ".json")):
                return False

        except OSError as error:
            raise Trouble(str(error)) from error

        events = self.take(key, anyway=True)

        if not events:
            raise Trouble(f"{key} is being delivered, or cannot be read")

        self.done(events[0])

        return True


def unlink(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False

    return True


def write(path: str, record: dict[str, Any], when: float | None = None) -> None:
    """All or nothing; a record that is lost with the power costs a try."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, "." + name)

    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                          0o600), "w", encoding="utf-8") as file:
            json.dump(record, file)

        if when is not None:
            os.utime(temporary, (when, when))

        os.rename(temporary, path)

    except OSError:
        unlink(temporary)
        raise


def flush(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    try:
        os.fsync(fd)
    finally:
        os.close(fd)
