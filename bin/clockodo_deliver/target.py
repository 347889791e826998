"""Applications: a command, or a URL."""

from __future__ import annotations

import base64
import binascii
import email.utils
import hmac
import http.client
import io
import logging
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from typing import Any, cast

from .event import FIELDS, Event, Outcome, Trouble

NEVER = 100             # the exit status of a command that means never again
ANSWER = 65536          # of an answer's body, the most that is read
KILL_AFTER = 2.0        # seconds between SIGTERM and SIGKILL

log = logging.getLogger("clockodo-deliver")


class Command:
    """The body on standard input, the fields in the environment."""

    def __init__(self, words: list[str], timeout: float) -> None:
        self.words = words
        self.timeout = timeout
        self.environment = {name: value for name, value in os.environ.items()
                            if name != "REDIS_URL"}

    def deliver(self, event: Event) -> Outcome:
        environment = {**self.environment, "CLOCKODO_ENTRY_ID": event.id}

        for name in FIELDS:
            environment["CLOCKODO_" + name.upper()] = event.fields[name]

        # a group of its own, to be ended as a whole; and the SIGINT of a
        # terminal is not for it

        try:
            process = subprocess.Popen(self.words, stdin=subprocess.PIPE,
                                       env=environment, start_new_session=True)
        except OSError as error:
            return Outcome(f"{self.words[0]}: {error.strerror}")

        try:
            process.communicate(event.body, self.timeout)
        except subprocess.TimeoutExpired:
            self.end(process)
            return Outcome(f"no end within {self.timeout:g} s")

        status = process.returncode

        if status < 0:
            return Outcome(f"signal {-status}")

        return Outcome(f"exit status {status}" if status else None,
                       status == NEVER)

    @staticmethod
    def end(process: subprocess.Popen[bytes]) -> None:
        for number in signal.SIGTERM, signal.SIGKILL:
            try:
                os.killpg(process.pid, number)
                process.wait(KILL_AFTER)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass

        if process.stdin:
            try:
                process.stdin.close()
            except OSError:
                pass


class Bounded(io.RawIOBase):
    """What is read from a socket, until a point in time."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self.sock = sock
        self.end = end
        self.wanted = True      # a header that breaks off is no answer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.sock.settimeout(left(self.end))
        n = self.sock.recv_into(buffer)

        if n == 0 and self.wanted:
            raise ConnectionError("closed before the answer was complete")

        return n


def left(end: float) -> float:
    seconds = end - time.monotonic()

    if seconds <= 0:
        raise TimeoutError("timed out")

    return seconds


class Answer:
    """What http.client takes for a socket, for one answer."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self.raw = Bounded(sock, end)

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(self.raw)


class Signer:
    """Standard Webhooks."""

    PREFIX = "whsec_"

    def __init__(self, path: str) -> None:
        """Raises Trouble."""
        self.keys: list[bytes] = []

        try:
            with open(path, encoding="utf-8-sig") as file:
                if os.fstat(file.fileno()).st_mode & 0o007:
                    log.warning("%s: others may read it", path)
                lines = file.read().splitlines()
        except (OSError, ValueError) as error:
            raise Trouble(f"{path}: {error}") from error

        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith("#"):
                key = self.key(line.strip())
                if key is None:
                    raise Trouble(f"{path}: line {number} is no key: whsec_ "
                                  "and 24 to 64 bytes in base64")
                self.keys.append(key)

        if not self.keys:
            raise Trouble(f"{path}: no key")

    @classmethod
    def key(cls, text: str) -> bytes | None:
        if not text.startswith(cls.PREFIX):
            return None

        text = text[len(cls.PREFIX):]

        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None

        good = base64.b64encode(key).decode() == text and 24 <= len(key) <= 64

        return key if good else None

    def headers(self, event: Event) -> dict[str, str]:
        id = event.fields["idempotency_key"]

        if event.nonce:
            id += "-" + event.nonce

        now = str(int(time.time()))
        text = f"{id}.{now}.".encode() + event.body
        signed = [base64.b64encode(hmac.digest(key, text, "sha256")).decode()
                  for key in self.keys]

        return {
            "webhook-id": id,
            "webhook-timestamp": now,
            "webhook-signature": " ".join("v1," + text for text in signed),
        }


class Url:
    """A POST; each thread keeps a connection of its own."""

    BODY = 1.0          # seconds for what stands behind the status

    def __init__(self, url: str, timeout: float, signer: Signer | None) -> None:
        """Raises ValueError."""
        parts = urllib.parse.urlsplit(url)

        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it has to be http://... or https://...")
        if parts.username or parts.password:
            raise ValueError("it must have no password; sign instead")
        if re.search(r"[^!-~]", url):
            raise ValueError("blanks and other characters have to be escaped")

        tls = parts.scheme == "https"

        self.tls = ssl.create_default_context() if tls else None
        self.host = parts.hostname
        self.port = parts.port or (443 if tls else 80)
        self.path = parts._replace(scheme="", netloc="", fragment="").geturl()
        self.netloc = parts.netloc
        self.timeout = timeout
        self.signer = signer
        self.own = threading.local()

    def deliver(self, event: Event) -> Outcome:
        end = time.monotonic() + self.timeout

        try:
            sock = self.reusable() or self.connect(end)
            response = self.exchange(sock, self.request(event), end)
        except TimeoutError:
            self.close()
            return Outcome(f"no answer within {self.timeout:g} s")
        except http.client.HTTPException as error:
            self.close()
            return Outcome(f"no HTTP: {type(error).__name__}")
        except ssl.SSLError as error:
            self.close()
            return Outcome(f"TLS: {error.reason or error}")
        except OSError as error:
            self.close()
            return Outcome(error.strerror or str(error))

        self.finish(response, end)

        return self.judge(response)

    def request(self, event: Event) -> bytes:
        fields = event.fields
        headers = {
            "Host": self.netloc,
            "User-Agent": "clockodo-deliver",
            "Content-Type": "application/json",
            "Content-Length": str(len(event.body)),
            **{"X-Clockodo-" + "-".join(
                word.capitalize() for word in name.split("_")): fields[name]
               for name in FIELDS if fields[name] or name != "entity_id"},
            **(self.signer.headers(event) if self.signer else {}),
        }
        lines = [f"POST {self.path or '/'} HTTP/1.1",
                 *(f"{name}: {value}" for name, value in headers.items())]

        return "\r\n".join([*lines, "", ""]).encode("ascii") + event.body

    def reusable(self) -> socket.socket | None:
        sock: socket.socket | None = getattr(self.own, "sock", None)

        if sock is None:
            return None

        # readable while nobody has asked for anything: it is closed

        poll = select.poll()
        poll.register(sock, select.POLLIN)

        if poll.poll(0):
            self.close()
            return None

        return sock

    def connect(self, end: float) -> socket.socket:
        self.close()
        fault: OSError | None = None

        for family, kind, protocol, _, address in socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(left(end))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self.tls:
                    sock = self.tls.wrap_socket(sock,
                                                server_hostname=self.host)
                self.own.sock = sock
                return sock
            except OSError as error:
                sock.close()
                fault = error

        raise fault or OSError("the name has no address")

    def exchange(self, sock: socket.socket, request: bytes, end: float
                 ) -> http.client.HTTPResponse:
        sock.settimeout(left(end))
        sock.sendall(request)

        response = http.client.HTTPResponse(
            cast(socket.socket, Answer(sock, end)), method="POST")
        response.begin()

        return response

    def finish(self, response: http.client.HTTPResponse, end: float) -> None:
        """The status says all: what becomes of the body does not matter."""
        try:
            if isinstance(answer := response.fp.raw, Bounded):
                answer.end = min(end, time.monotonic() + self.BODY)
                answer.wanted = False

            response.read(ANSWER)

            if response.isclosed() and not response.will_close:
                return

        except (OSError, ValueError, AttributeError,
                http.client.HTTPException):
            pass

        self.close()

    def close(self) -> None:
        sock = getattr(self.own, "sock", None)

        if sock is not None:
            sock.close()
            self.own.sock = None

    @staticmethod
    def judge(response: http.client.HTTPResponse) -> Outcome:
        status = response.status

        if 200 <= status < 300:
            return Outcome()

        error = f"status {status}"

        if 300 <= status < 400:
            error += ", a redirection: is --url right?"

        return Outcome(error, status == 410,
                       retry_after(response.headers.get("Retry-After", "")))


def retry_after(text: str) -> float:
    """0 if it is neither seconds nor a date."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)

    try:
        when = email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0

    return max(0, when - time.time())
