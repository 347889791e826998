"""A client of HTTP/3, for t/lib/Clockodo/Http3.pm:

    python3 t/lib/http3.py ADDRESS PORT

Makes one connection, and says {"connected": true}.  Then each line of standard
input is a request, as JSON, and each line of standard output what came of it:

    {"headers": [[NAME, VALUE], ...],
     "data":     [TEXT, ...],            a DATA frame each, in its own packets
     "trailers": [[NAME, VALUE], ...],
     "end":      "fin" | "reset" | "abort"}

"reset" takes the stream back, "abort" wants no reply besides; after both there
is none.  Otherwise {"status": ..., "headers": {...}, "body": ...,
"stream": "ended" | "reset"}.  Once there is no connection any more, it is
{"closed": REASON}.
"""

import json
import select
import socket
import ssl
import sys
import time

from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (ConnectionTerminated, HandshakeCompleted,
                                 StreamReset)

TIMEOUT = 30


class Client:

    def __init__(self, address, port):
        self.peer = (address, port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(self.peer)

        # its certificate is not what is tested

        self.quic = QuicConnection(configuration=QuicConfiguration(
            alpn_protocols=H3_ALPN, is_client=True, server_name="localhost",
            verify_mode=ssl.CERT_NONE))
        self.http = H3Connection(self.quic)

        self.connected = False
        self.closed = None
        self.replies = {}

        self.quic.connect(self.peer, now=time.monotonic())

    def send(self):
        for packet, _ in self.quic.datagrams_to_send(now=time.monotonic()):
            try:
                self.socket.send(packet)
            except ConnectionRefusedError:
                self.closed = "refused"

    def receive(self, until):
        """Takes what comes, until a function is true or nothing comes."""

        end = time.monotonic() + TIMEOUT

        while not until() and self.closed is None:
            self.send()

            now = time.monotonic()
            timer = self.quic.get_timer()
            wait = min(end, timer if timer is not None else end) - now

            if select.select([self.socket], [], [], max(0, wait))[0]:
                try:
                    packet = self.socket.recv(65536)
                except ConnectionRefusedError:
                    self.closed = "refused"
                    return

                self.quic.receive_datagram(packet, self.peer,
                                           now=time.monotonic())

            now = time.monotonic()

            if now >= end:
                self.closed = "no reply"

            elif timer is not None and now >= timer:
                self.quic.handle_timer(now=now)

            event = self.quic.next_event()

            while event is not None:
                self.event(event)
                event = self.quic.next_event()

        self.send()

    def event(self, event):
        if isinstance(event, HandshakeCompleted):
            self.connected = True

        elif isinstance(event, ConnectionTerminated):
            self.closed = f"{event.error_code:#x} {event.reason_phrase}"

        elif isinstance(event, StreamReset):
            self.reply(event.stream_id).setdefault("stream", "reset")

        for part in self.http.handle_event(event):
            reply = self.reply(part.stream_id)

            if isinstance(part, HeadersReceived):
                for name, value in part.headers:
                    reply["headers"][name.decode()] = value.decode("latin-1")

                reply["status"] = reply["headers"].get(":status")

            elif isinstance(part, DataReceived):
                reply["body"] += part.data.decode("latin-1")

            if part.stream_ended:
                reply["stream"] = "ended"

    def reply(self, stream):
        return self.replies.setdefault(stream, {"headers": {}, "body": ""})

    def request(self, request):
        stream = self.quic.get_next_available_stream_id()
        end = request.get("end", "fin")
        data = [text.encode("latin-1") for text in request.get("data", [])]
        trailers = fields(request.get("trailers", []))

        parts = [(self.http.send_headers, fields(request["headers"]))]
        parts += [(self.http.send_data, frame) for frame in data]
        parts += [(self.http.send_headers, trailers)] if trailers else []

        for number, (send, what) in enumerate(parts, 1):
            last = number == len(parts) and end == "fin"

            try:
                send(stream, what, end_stream=last)
            except AssertionError:
                break           # it wants no more of this stream

            self.send()

        if end == "fin":
            self.receive(lambda: "stream" in self.reply(stream))

            if "stream" not in self.reply(stream):
                return {"closed": self.closed}

            return self.replies.pop(stream)

        self.quic.reset_stream(stream, ErrorCode.H3_REQUEST_CANCELLED)

        if end == "abort":
            self.quic.stop_stream(stream, ErrorCode.H3_REQUEST_CANCELLED)

        self.send()

        return {"closed": self.closed} if self.closed else {}


def fields(pairs):
    return [(name.encode("latin-1"), value.encode("latin-1"))
            for name, value in pairs]


def main():
    client = Client(sys.argv[1], int(sys.argv[2]))

    client.receive(lambda: client.connected)
    print(json.dumps({"connected": client.connected, "closed": client.closed}),
          flush=True)

    for line in sys.stdin:
        print(json.dumps(client.request(json.loads(line))), flush=True)

    if client.closed is None:
        client.quic.close()
        client.send()


main()
