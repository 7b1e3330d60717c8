"""An adb server made of a thread and a script, for everything that speaks to one."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from pathlib import Path

import pytest

SERIAL = "10.77.1.9:5555"


class FakeAdb:
    """Answers as adb does. ``shell`` says what a command answers; ``hooks`` replace a service altogether."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.commands = []
        self.shell = lambda _command: (b"", b"", 0)
        self.hooks = {}
        self.connected = "connected to"
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.connections = []
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            self.threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self.threads[-1].start()

    def _serve(self, connection):
        try:
            with connection:
                while self._one(connection):
                    pass
        except OSError:
            pass

    def _one(self, connection):
        digits = exactly(connection, 4)
        if len(digits) < 4:
            return False
        service = exactly(connection, int(digits, 16)).decode()
        hook = next((hook for prefix, hook in self.hooks.items() if service.startswith(prefix)), None)
        if hook:
            hook(connection)
            return False
        if service == f"host:transport:{SERIAL}":
            connection.sendall(b"OKAY")
            return True
        if service.startswith("shell,v2,raw:"):
            connection.sendall(b"OKAY")
            self.commands.append(service.removeprefix("shell,v2,raw:"))
            out, err, code = self.shell(self.commands[-1])
            connection.sendall(frame(1, out) + frame(2, err) + frame(3, bytes([code])))
            return False
        texts = {
            "host:version": "0029",
            "host:devices": f"{SERIAL}\tdevice\nemulator-5554\toffline\n",
            f"host:connect:{SERIAL}": f"{self.connected} {SERIAL}",
        }
        if service in texts:
            text = texts[service].encode()
            connection.sendall(b"OKAY" + b"%04x" % len(text) + text)
        else:
            self.fail(connection, f"device '{service.rpartition('transport:')[2]}' not found")
        return False

    @staticmethod
    def fail(connection, text):
        raw = text.encode()
        connection.sendall(b"FAIL" + b"%04x" % len(raw) + raw)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(2)
            assert not thread.is_alive()


def frame(kind, payload=b""):
    return struct.pack("<BI", kind, len(payload)) + payload


def exactly(connection, size):
    data = b""
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return data


@pytest.fixture
def fake_adb():
    server = FakeAdb()
    yield server
    server.close()


@pytest.fixture
def serial():
    return SERIAL


@pytest.fixture
def dump():
    """A recorded report by name, without the lines that say where it is from."""
    folder = Path(__file__).parent / "dumps"

    def read(name):
        lines = (folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("#!"))

    return read
