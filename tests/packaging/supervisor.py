"""A supervisor's end of systemd's protocol of notification."""
import pathlib
import socket
import time


class NotifySocket:
    """Takes messages. Each is a dictionary, NAME → value."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))

    def close(self):
        self.socket.close()

    def receive(self, seconds):
        """The next message; None if none came in that time."""
        self.socket.settimeout(seconds)
        try:
            text = self.socket.recv(65536).decode()
        except (TimeoutError, BlockingIOError):
            return None
        return dict(line.split("=", 1) for line in text.splitlines())

    def wait_for(self, name, seconds=20):
        """The first message that tells `name`, and all before it."""
        seen, deadline = [], time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            message = self.receive(left)
            if message is None:
                break
            seen.append(message)
            if name in message:
                return seen
        raise AssertionError(f"no {name} in {seconds} s, only {seen}")
