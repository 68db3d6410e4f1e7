"""A proxy between a PostgreSQL client and its server that counts and breaks things.

It reads the protocol's framing, so a fault can be put exactly before or after a certain message of
the client, or into the server's answer to it.

    with Proxy(server) as proxy:
        proxy.fault(cut("reply", on=lambda m: b"finished_at" in m.body))
        run(db.url(port=proxy.port))
    proxy.stats.round_trips
"""

import contextlib
import dataclasses
import os
import socket
import struct
import tempfile
import threading
import time
from collections import Counter


@dataclasses.dataclass
class Message:
    """One message of a client. `number` counts from 1 in its connection, start-up included."""
    connection: int
    number: int
    type: str  # "startup", "ssl", "cancel", or the type byte: "Q", "P", "X", ...
    body: bytes

    @property
    def text(self):
        return self.body.rstrip(b"\0").decode("utf-8", "replace")


@dataclasses.dataclass
class Fault:
    """What to do, and at which message.

    place   "before": the message never reaches the server; "after": it does, and the client is cut
            at once; "reply": the server answers completely, and the client never sees it;
            "partial": the client gets `keep` bytes of the answer
    action  "cut" (both sides are closed), "cut-client" (the server's side stays open, as with a
            client whose machine lost its power), "hang" (nothing is forwarded any more in either
            direction; the sockets stay open and bytes are acknowledged)
    on      a function of Message; the fault strikes when it is true
    nth     strike at the nth message for which `on` is true
    """
    place: str
    action: str
    on: object
    nth: int = 1
    keep: int = 0
    hook: object = None
    struck: bool = False
    seen: int = 0

    def hits(self, message):
        if self.struck or not self.on(message):
            return False
        self.seen += 1
        if self.seen < self.nth:
            return False
        self.struck = True
        return True


def cut(place, on, **kwargs):
    return Fault(place, "cut", on, **kwargs)


def hang(place, on, **kwargs):
    return Fault(place, "hang", on, **kwargs)


class Stats:
    def __init__(self):
        self.connections = 0
        self.round_trips = 0  # times that a client spoke after its server had spoken
        self.round_trips_ready = 0  # the same, after the first ReadyForQuery
        self.client_messages = 0
        self.to_server = 0
        self.to_client = 0
        self.by_type = Counter()


class _Connection:
    def __init__(self, proxy, client, number):
        self.proxy = proxy
        self.number = number
        self.client = client
        self.server = None
        self.messages = 0
        self.server_spoke = True
        self.ready = False
        self.hung = threading.Event()
        self.lock = threading.Lock()
        self.swallow = None  # a Fault that waits for the server's answer
        self.is_over = False  # the client gets nothing any more
        self.kept = 0
        self.single_byte = False  # the server answers an SSL request with one byte

    def run(self):
        try:
            self.server = self.proxy.dial()
        except OSError:
            self.client.close()
            return
        up = threading.Thread(target=self.guard, args=(self.from_client,), daemon=True)
        down = threading.Thread(target=self.guard, args=(self.from_server,), daemon=True)
        up.start()
        down.start()
        up.join()
        down.join()
        self.close(self.client)
        if not self.proxy.keep_server_side:
            self.close(self.server)

    def guard(self, work):
        try:
            work()
        except OSError:
            pass
        if not self.hung.is_set():
            self.close(self.client)
            if not (self.proxy.keep_server_side and work == self.from_client):
                self.close(self.server)

    @staticmethod
    def close(sock):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            sock.close()

    # ---- client to server --------------------------------------------------------------------

    def from_client(self):
        buffered = b""
        started = False
        while True:
            data = self.client.recv(65536)
            if not data:
                return
            if self.hung.is_set():
                continue
            stats = self.proxy.stats
            with self.proxy.lock:
                # Nobody waits for an answer to a good-bye, nor for the proxy to have seen it.
                if self.server_spoke and data != b"X\0\0\0\4":
                    stats.round_trips += 1
                    stats.round_trips_ready += self.ready
                self.server_spoke = False
                stats.to_server += len(data)
            buffered += data
            while True:
                head = 1 if started else 0
                if len(buffered) < head + 4:
                    break
                size = struct.unpack_from("!I", buffered, head)[0] + head
                if len(buffered) < size:
                    break
                message = self.message(started, buffered[:size])
                started = started or message.type == "startup"
                if not self.pass_on(message, buffered[:size]):
                    return
                buffered = buffered[size:]

    def message(self, started, raw):
        self.messages += 1
        if started:
            kind, body = chr(raw[0]), raw[5:]
        else:
            code = struct.unpack_from("!I", raw, 4)[0]
            kind = {80877103: "ssl", 80877104: "gss", 80877102: "cancel"}.get(code, "startup")
            body = raw[8:]
            self.single_byte = kind in ("ssl", "gss")
        found = Message(self.number, self.messages, kind, body)
        with self.proxy.lock:
            self.proxy.stats.client_messages += 1
            self.proxy.stats.by_type[kind] += 1
            if self.proxy.record:
                self.proxy.messages.append(found)
        return found

    def pass_on(self, message, raw):
        """Forward one message; False ends the connection."""
        fault = self.proxy.fault_for(message)
        if fault and fault.place == "before":
            return self.strike(fault)
        if fault and fault.place in ("reply", "partial"):
            with self.lock:
                self.swallow = fault
                self.kept = 0
        # The answer may be here before the client is cut.
        self.is_over = fault is not None and fault.place == "after"
        self.send(self.server, raw)
        if self.is_over:
            return self.strike(fault)
        return True

    # ---- server to client --------------------------------------------------------------------

    def from_server(self):
        buffered = b""
        while True:
            data = self.server.recv(65536)
            if not data:
                return
            if self.hung.is_set() or self.is_over:
                continue
            with self.proxy.lock:
                self.server_spoke = True
                self.proxy.stats.to_client += len(data)
            answered = False
            if self.single_byte and not buffered and data[:1] in b"SNG":
                self.single_byte = False
            else:
                buffered += data
                while len(buffered) >= 5:
                    size = struct.unpack_from("!I", buffered, 1)[0] + 1
                    if len(buffered) < size:
                        break
                    if buffered[:1] == b"Z":
                        self.ready = answered = True
                    buffered = buffered[size:]
            with self.lock:
                fault = self.swallow
            if fault is None:
                self.send(self.client, data)
                continue
            if fault.place == "partial" and self.kept < fault.keep:
                part = data[:fault.keep - self.kept]
                self.kept += len(part)
                self.send(self.client, part)
            if answered and not self.strike(fault):
                return

    def send(self, sock, data):
        if self.proxy.delay:
            time.sleep(self.proxy.delay)
        if self.proxy.segment:
            for i in range(0, len(data), self.proxy.segment):
                sock.sendall(data[i:i + self.proxy.segment])
        else:
            sock.sendall(data)

    def strike(self, fault):
        if fault.hook:
            fault.hook()
        if fault.action == "hang":
            self.hung.set()
            self.swallow = None
            return True
        if fault.action == "cut":
            # A message that was just sent must reach the server before its connection goes.
            with contextlib.suppress(OSError):
                self.server.shutdown(socket.SHUT_WR)
        else:
            self.proxy.orphans.append(self.server)
            self.server = self.server.dup()
        self.close(self.client)
        return False


class Proxy:
    """Listens on 127.0.0.1:port, or with `unix` on a socket in `socket_dir` (port 5432)."""

    def __init__(self, server, unix=False, delay=0.0, segment=0, record=True):
        self.upstream = server
        self.unix = unix
        self.delay = delay  # seconds, for each message in each direction
        self.segment = segment  # bytes for each write, 0 = as they come
        self.record = record
        self.stats = Stats()
        self.messages = []
        self.faults = []
        self.orphans = []
        self.refuse = 0  # so many connections are closed as soon as they are accepted
        self.keep_server_side = False  # when a client goes, its server connection stays
        self.lock = threading.Lock()
        self.listener = None
        self.socket_dir = None
        self.port = None
        self.live = []

    def __enter__(self):
        if self.unix:
            self.socket_dir = tempfile.mkdtemp(prefix="aramid-proxy-")
            self.port = 5432
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(os.path.join(self.socket_dir, ".s.PGSQL.5432"))
        else:
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        _Connection.close(self.listener)
        for connection in self.live:
            _Connection.close(connection.client)
            if connection.server:
                _Connection.close(connection.server)
        for orphan in self.orphans:
            _Connection.close(orphan)
        if self.socket_dir:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.socket_dir, ".s.PGSQL.5432"))
                os.rmdir(self.socket_dir)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refuse > 0:
                self.refuse -= 1
                client.close()
                continue
            if not self.unix:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.stats.connections += 1
                connection = _Connection(self, client, self.stats.connections)
                self.live.append(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def dial(self):
        if self.unix:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(os.path.join(self.upstream.socket_dir, f".s.PGSQL.{self.upstream.port}"))
        else:
            sock = socket.create_connection(("127.0.0.1", self.upstream.port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def fault(self, *faults):
        self.faults.extend(faults)
        return faults[0]

    def fault_for(self, message):
        with self.lock:
            return next((f for f in self.faults if f.hits(message)), None)

    def url(self, database, **kwargs):
        """URL of a Database through this proxy."""
        if self.unix:
            return database.url(tcp=False, host=self.socket_dir, port=5432, **kwargs)
        return database.url(port=self.port, **kwargs)

    @property
    def queries(self):
        """Texts of the simple queries that went through."""
        return [m.text for m in self.messages if m.type == "Q"]
