#!/usr/bin/python3

"""usage: application.py DATABASE PORT
       application.py --work DATABASE
       application.py --help

An application that takes each of Clockodo's events exactly once.  It listens on
127.0.0.1, writes an event down, answers 200, and does its work later: the line
where it says so is yours.  With --work it does what is left and exits.
"""

import http.server
import sqlite3
import sys
import threading

SCHEMA = """
    CREATE TABLE IF NOT EXISTS events (
        key  TEXT PRIMARY KEY,      -- a second one changes nothing
        name TEXT NOT NULL, entity_id TEXT NOT NULL, body BLOB NOT NULL,
        done INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS work (name TEXT, entity_id TEXT);
"""

once = sys.argv[1:2] == ["--work"]
path = sys.argv[2 if once else 1] if len(sys.argv) == 3 else ""
waiting = threading.Event()


def connect() -> sqlite3.Connection:
    """What is committed is on the disk."""
    database = sqlite3.connect(path)
    database.executescript(SCHEMA)

    return database


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = (self.headers["X-Clockodo-Idempotency-Key"],
                 self.headers["X-Clockodo-Event"],
                 self.headers.get("X-Clockodo-Entity-Id", ""), body)

        # nginx has checked all; what has no key did not come from there

        if not event[0]:
            self.answer(403)
            return

        database = connect()
        with database:
            database.execute("INSERT OR IGNORE INTO events"
                             " (key, name, entity_id, body)"
                             " VALUES (?, ?, ?, ?)", event)
        database.close()

        waiting.set()
        self.answer(200)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def work() -> None:
    """What is done and that it was done are one transaction."""
    database = connect()

    for key, name, entity_id in database.execute(
            "SELECT key, name, entity_id FROM events WHERE NOT done"
            " ORDER BY rowid").fetchall():
        with database:
            database.execute("UPDATE events SET done = 1 WHERE key = ?",
                             (key,))

            # your work, in the same database

            database.execute("INSERT INTO work VALUES (?, ?)",
                             (name, entity_id))

    database.close()


def work_for_ever() -> None:
    while True:
        waiting.clear()
        work()
        waiting.wait()


if __name__ == "__main__":
    if not path:
        print(__doc__)
    elif once:
        work()
    else:
        connect().close()
        threading.Thread(target=work_for_ever, daemon=True).start()
        http.server.ThreadingHTTPServer(
            ("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
