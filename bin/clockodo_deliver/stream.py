"""A consumer group of a stream of Redis, by clockodo_redis_pass."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import re
import time
from typing import Any, Iterator

from .event import Event, Item, Status, Trouble

MARGIN = 10.0           # seconds on top of --timeout: a worker is dead

log = logging.getLogger("clockodo-deliver")

# All of a stream's keys are in its hash slot.  KEYS: the stream; when what is
# at hand or waits is due (a sorted set of ids, in milliseconds of Redis's
# clock); how often it was tried (a hash of JSON by id); what is dead (a
# stream).  ARGV[1] is the group.  An entry stays with the group (XPENDING)
# until it is taken or dead.  The time of one at hand, when its worker will be
# dead, is half a millisecond more than whole ones.

SCRIPTS = {
    # [[id, fields, record] ...] for at most ARGV[4], at hand for ARGV[3] ms
    "due": """
        local now = redis.call('TIME')
        now = now[1] * 1000 + math.floor(now[2] / 1000)
        local taken = {}
        for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now,
                                       'LIMIT', 0, ARGV[4])) do
            local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0,
                                     id)[1]
            if entry then
                redis.call('ZADD', KEYS[2], now + ARGV[3] + 0.5, id)
                taken[#taken + 1] = {id, entry[2],
                                     redis.call('HGET', KEYS[3], id)}
            else
                redis.call('XACK', KEYS[1], ARGV[1], id)
                redis.call('ZREM', KEYS[2], id)
                redis.call('HDEL', KEYS[3], id)
                taken[#taken + 1] = {id}
            end
        end
        return taken
    """,

    # ARGV[2] is the id; whether it was still there to be acknowledged
    "done": """
        redis.call('ZREM', KEYS[2], ARGV[2])
        redis.call('HDEL', KEYS[3], ARGV[2])
        return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
    """,

    # ARGV: group, id, milliseconds, record
    "failed": """
        if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0
        then
            return 0
        end
        local now = redis.call('TIME')
        now = now[1] * 1000 + math.floor(now[2] / 1000)
        redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[2])
        redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
        return 1
    """,

    # ARGV: group, id
    "retry": """
        local due = redis.call('ZSCORE', KEYS[2], ARGV[2])
        if not due then
            return 0
        end
        if tonumber(due) % 1 == 0 then
            redis.call('ZADD', KEYS[2], 0, ARGV[2])
        end
        return 1
    """,

    # ARGV: group, id, and the fields of the dead entry
    "bury": """
        redis.call('ZREM', KEYS[2], ARGV[2])
        redis.call('HDEL', KEYS[3], ARGV[2])
        if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then
            return 0
        end
        redis.call('XADD', KEYS[4], '*', unpack(ARGV, 3))
        return 1
    """,

    # ARGV: group, name, id, the id in KEYS[4], record, and the fields for
    # the case that the stream was trimmed meanwhile
    "revive": """
        if redis.call('XDEL', KEYS[4], ARGV[4]) == 0 then
            return 0
        end
        if #redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3],
                       'FORCE', 'JUSTID') == 0
        then
            redis.call('XADD', KEYS[1], '*', unpack(ARGV, 6))
            return 1
        end
        redis.call('ZADD', KEYS[2], 0, ARGV[3])
        redis.call('HSET', KEYS[3], ARGV[3], ARGV[5])
        return 1
    """,

    # what no group has still to read or to acknowledge; how much that was
    "trim": """
        local function before(a, b)
            local ams, aseq = a:match('(%d+)-(%d+)')
            local bms, bseq = b:match('(%d+)-(%d+)')
            if #ams ~= #bms then return #ams < #bms end
            if ams ~= bms then return ams < bms end
            return tonumber(aseq) < tonumber(bseq)
        end
        local least
        for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
            local of = {}
            for i = 1, #group, 2 do of[group[i]] = group[i + 1] end
            local id = redis.call('XPENDING', KEYS[1], of['name'])[2]
            local last = of['last-delivered-id']
            if not id or before(last, id) then id = last end
            if not least or before(id, least) then least = id end
        end
        return least and redis.call('XTRIM', KEYS[1], 'MINID', least) or 0
    """,
}


class Stream:
    """A consumer group of a stream."""

    BLOCK = 0.5         # seconds to wait for an event
    PAGE = 1000
    TRIM = 60.0         # seconds

    def __init__(self, urls: list[str], stream: str, group: str, name: str,
                 timeout: float = 0, trim: bool = False) -> None:
        redis = importlib.import_module("redis")

        self.redis = redis
        self.servers = [redis.Redis.from_url(
            url, socket_timeout=self.BLOCK + 10,
            **({} if url.startswith("unix:") else {"socket_connect_timeout": 5})
            ) for url in urls]
        self.server = 0

        # the stream's hash slot is that of its name in braces, if it has any

        tag = stream if re.search(r"\{[^}]+\}", stream) else "{%s}" % stream

        self.stream, self.group, self.name = stream, group, name
        self.dead = f"{tag}:dead"
        self.keys = [stream, f"{tag}:retry:{group}", f"{tag}:tries:{group}",
                     self.dead]

        self.lease = int((timeout + MARGIN) * 1000)
        self.trim = trim
        self.creates = False
        self.trimmed = self.adopted = float("-inf")
        self.page = "-"
        self.got: list[Event] = []

    def prepare(self) -> None:
        self.creates = True

    def call(self, *words: Any, **options: Any) -> Any:
        """Raises Trouble if none of the servers can."""
        trouble = ""

        for _ in range(len(self.servers) + 1):
            server = self.server

            try:
                return self.servers[server].execute_command(*words, **options)

            except self.redis.RedisError as error:
                trouble = f"redis: {error}"

                # the stream was deleted, or Redis came back without it

                if "NOGROUP" in trouble and self.creates:
                    self.make_group(server)
                elif self.server == server:
                    self.server = (server + 1) % len(self.servers)

        raise Trouble(trouble)

    def make_group(self, server: int) -> None:
        """From the first event on, not from now on."""
        try:
            self.servers[server].execute_command(
                "XGROUP CREATE", self.stream, self.group, "0", "MKSTREAM")
        except self.redis.RedisError as error:
            if "BUSYGROUP" not in str(error):
                log.error("redis: XGROUP: %s", error)

    def run(self, script: str, *words: Any) -> Any:
        return self.call("EVAL", SCRIPTS[script], len(self.keys), *self.keys,
                         self.group, *words)

    # taking

    def take_new(self, most: int) -> list[Event]:
        self.adopt()
        self.cut()

        events, self.got = self.got[:most], self.got[most:]

        return events or self.read_new(most)

    def wait(self, seconds: float) -> None:
        block = max(1, int(min(seconds, self.BLOCK) * 1000))

        self.got += self.read_new(1, "BLOCK", block)

    def read_new(self, most: int, *block: Any) -> list[Event]:
        reply = self.call("XREADGROUP", "GROUP", self.group, self.name,
                          "COUNT", most, *block, "STREAMS", self.stream, ">")
        entries = reply[0][1] if reply else []

        if not entries:
            return []

        records = self.call("HMGET", self.keys[2], *(id for id, _ in entries))
        events = [self.event(id, fields, record)
                  for (id, fields), record in zip(entries, records)]

        for event in events:
            if event.tries < 0:
                self.done(event)

        return [event for event in events if event.tries >= 0]

    def take_due(self, most: int) -> list[Event]:
        events = []

        for id, *entry in self.run("due", self.name, self.lease, most):
            if entry:
                fields = dict(zip(entry[0][::2], entry[0][1::2]))
                events.append(self.event(id, fields, entry[1]))
            else:
                log.error("%s: it is no longer in the stream", id.decode())

        return events

    @staticmethod
    def event(id: bytes, fields: dict[bytes, bytes],
              record: bytes | None) -> Event:
        text = {name.decode("latin-1"): value.decode("latin-1")
                for name, value in fields.items() if name != b"body"}
        state = json.loads(record or b"{}")

        return Event(id.decode(), text, fields.get(b"body", b""),
                     state.get("since", int(id.split(b"-")[0]) / 1000),
                     state.get("tries", 0), token=fields)

    @staticmethod
    def read(event: Event) -> None:
        # an unknown event without an id, the same at each try

        if not event.fields.get("entity_id"):
            event.nonce = hashlib.sha256(event.id.encode()).hexdigest()[:16]

    def adopt(self) -> None:
        """What a worker had at hand for the first time when it died."""
        now = time.monotonic()

        if self.page == "-" and now < self.adopted + self.lease / 4000:
            return

        self.adopted = now
        pending = self.call("XPENDING", self.stream, self.group,
                            "IDLE", self.lease, self.page, "+", self.PAGE,
                            parse_detail=True)
        ids = [entry["message_id"] for entry in pending]

        if ids:
            due = self.call("ZMSCORE", self.keys[1], *ids)
            lost = [id for id, when in zip(ids, due) if when is None]
            if lost:
                self.call("ZADD", self.keys[1], "NX",
                          *(word for id in lost for word in (0, id)))

        self.page = "-"
        if len(ids) == self.PAGE:
            self.page = "(" + ids[-1].decode()

    def cut(self) -> None:
        now = time.monotonic()

        if self.trim and now >= self.trimmed + self.TRIM:
            self.trimmed = now
            self.run("trim")

    def empty(self) -> bool:
        return not self.got and not self.call(
            "XPENDING", self.stream, self.group)["pending"]

    # settling

    def done(self, event: Event) -> None:
        self.run("done", event.id)

    def failed(self, event: Event, error: str, delay: float) -> None:
        self.run("failed", event.id, int(delay * 1000), json.dumps({
            "tries": event.tries, "error": error, "at": time.time(),
            "since": event.since}))

    def bury(self, event: Event, error: str) -> None:
        fields = [word for pair in event.token.items() for word in pair]

        self.run("bury", event.id, *fields, "entry_id", event.id,
                 "group", self.group, "reason", error, "tries", event.tries,
                 "since", event.since, "at", time.time())

    def close(self) -> None:
        """What was read while waiting is for others."""
        for event in self.got:
            self.call("ZADD", self.keys[1], 0, event.id)

    # for people

    def pages(self, stream: str, start: str
              ) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
        while True:
            page = self.call("XRANGE", stream, start, "+", "COUNT", self.PAGE)
            yield from page
            if len(page) < self.PAGE:
                return
            start = "(" + page[-1][0].decode()

    def graves(self) -> Iterator[tuple[bytes, dict[bytes, bytes], Item]]:
        for id, fields in self.pages(self.dead, "-"):
            if fields.get(b"group") == self.group.encode():
                text = {name.decode(): value.decode(errors="replace")
                        for name, value in fields.items()}
                yield id, fields, Item(
                    text["entry_id"], "dead", text.get("event", "?"),
                    float(text["since"]), int(text["tries"]), None,
                    text["reason"])

    def grave(self, key: str) -> tuple[bytes, dict[bytes, bytes]] | None:
        for id, fields, item in self.graves():
            if item.id == key:
                return id, fields

        return None

    def mine(self) -> dict[str, Any]:
        for group in self.call("XINFO GROUPS", self.stream):
            if group["name"] == self.group.encode():
                return dict(group)

        raise Trouble(f"there is no group {self.group} of {self.stream}")

    def list(self) -> Iterator[Item]:
        last = self.mine()["last-delivered-id"].decode()
        due = dict(self.call("ZRANGE", self.keys[1], 0, -1, "WITHSCORES",
                             withscores=True, score_cast_func=float))
        pending = self.pending()

        # what was acknowledged stands between, and is not shown

        first = next(iter(pending), None)
        start = first.decode() if first else "(" + last

        for key, fields in self.pages(self.stream, start):
            if key not in pending and order(key) <= order(last.encode()):
                continue

            record = self.call("HGET", self.keys[2], key)
            event = self.event(key, fields, record)

            if event.tries >= 0:
                yield Item(event.id, "waiting" if key in due else "new",
                           event.fields.get("event", "?"), event.since,
                           event.tries,
                           due.get(key, 0) / 1000 if event.tries else None,
                           json.loads(record or b"{}").get("error"))

        for _, _, item in self.graves():
            yield item

    def pending(self) -> dict[bytes, None]:
        """In their order."""
        found: dict[bytes, None] = {}
        start = "-"

        while True:
            page = self.call("XPENDING", self.stream, self.group,
                             start, "+", self.PAGE, parse_detail=True)
            found.update((entry["message_id"], None) for entry in page)
            if len(page) < self.PAGE:
                return found
            start = "(" + page[-1]["message_id"].decode()

    def status(self, errors: bool = True) -> Status:
        group = self.mine()
        last = "(" + group["last-delivered-id"].decode()
        first = [self.call("XPENDING", self.stream, self.group)["min"]]
        first += [entry[0] for entry in self.call(
            "XRANGE", self.stream, last, "+", "COUNT", 1)]
        unread = group.get("lag")
        status = Status(waiting=self.call("ZCARD", self.keys[1]))

        if unread is None:
            unread = sum(1 for _ in self.pages(self.stream, last))

        status.new = max(0, unread + group["pending"] - status.waiting)

        for key in (key for key in first if key):
            status.seen(order(key)[0] / 1000)

        if errors:
            for name, record in self.call("HGETALL", self.keys[2]).items():
                status.failed(name.decode(), json.loads(record))

        for _, fields, item in self.graves():
            status.dead += 1
            status.failed(item.id, {"error": item.error,
                                    "at": float(fields[b"at"])})

        return status

    def retry(self, key: str, dead: bool) -> bool:
        if not dead:
            return bool(self.run("retry", key)) or self.unread(key)

        grave = self.grave(key)

        if not grave:
            return False

        entry_id, fields = grave
        extra = (b"entry_id", b"group", b"reason", b"tries", b"since", b"at")
        old = [word for pair in fields.items() if pair[0] not in extra
               for word in pair]

        return bool(self.run("revive", self.name, key, entry_id, json.dumps(
            {"tries": 0, "since": time.time()}), *old))

    def drop(self, key: str, dead: bool) -> bool:
        if dead:
            grave = self.grave(key)
            return bool(grave and self.call("XDEL", self.dead, grave[0]))

        if self.run("done", key):
            return True

        if not self.unread(key):
            return False

        # it is still to be read, by other groups too

        self.call("HSET", self.keys[2], key, json.dumps({"tries": -1}))

        return True

    def unread(self, key: str) -> bool:
        last = self.mine()["last-delivered-id"].decode()

        return bool(self.call("XRANGE", self.stream, "(" + last, key,
                              "COUNT", 1)
                    and self.call("XRANGE", self.stream, key, key))


def order(key: bytes) -> tuple[int, ...]:
    return tuple(map(int, key.split(b"-")))
