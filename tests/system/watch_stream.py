"""A client of a watch: one connection, its chunks taken apart by hand, its events one by one."""
import dataclasses
import json
import socket
import time


@dataclasses.dataclass
class Event:
    kind: str
    id: str
    data: dict


class Stream:
    """Reads only when it is asked for an event. `complete`: the last chunk has come."""

    def __init__(self, port, target, host="127.0.0.1", last_event_id=None, timeout=20, buffer=None):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, port))
        fields = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id else ""
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
        self.complete = False
        self._raw, self._text = b"", b""
        while b"\r\n\r\n" not in self._raw:
            self._receive()
        head, self._raw = self._raw.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {
            name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])
        }
        assert self.status == 200, self._raw

    def _receive(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError("the connection ended")
        self._raw += piece

    def _take_chunk(self):
        while b"\r\n" not in self._raw:
            self._receive()
        size_line, rest = self._raw.split(b"\r\n", 1)
        size = int(size_line, 16)
        while len(rest) < size + 2:
            self._receive()
            rest = self._raw.split(b"\r\n", 1)[1]
        self._text += rest[:size]
        self._raw = rest[size + 2 :]
        self.complete = size == 0

    def next(self):
        """The next event; None after the last one."""
        while True:
            while b"\n\n" not in self._text:
                if self.complete:
                    return None
                self._take_chunk()
            block, self._text = self._text.split(b"\n\n", 1)
            event = self._event_of(block.decode())
            if event:
                return event

    @staticmethod
    def _event_of(block):
        kind, cursor, data = "message", None, []
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "id":
                cursor = value
            elif name == "data":
                data.append(value)
        return Event(kind, cursor, json.loads("\n".join(data))) if data else None

    def __iter__(self):
        while event := self.next():
            yield event

    def until(self, kind):
        """The events before the first one of a kind."""
        events = []
        for event in self:
            if event.kind == kind:
                return events
            events.append(event)
        raise AssertionError(f"the stream ended without {kind}: {events}")

    def silent_for(self, seconds):
        """True if no change is told for so long."""
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                self.socket.settimeout(left)
                event = self.next()
                if event is None or event.kind != "bookmark":
                    return False
        except TimeoutError:
            pass
        self.socket.settimeout(20)
        return True

    def close(self):
        self.socket.close()
