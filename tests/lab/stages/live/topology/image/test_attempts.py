"""Attempts over loopback: what comes back is told, whatever it is."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lab.stages.live.topology.image import attempts

SOURCE = Path(attempts.__file__).read_text(encoding="utf-8")


@pytest.fixture
def door():
    """A TCP port of this machine that says ``token`` to whoever connects."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                opened = server.accept()[0]
            except OSError:
                return
            with opened:
                opened.sendall(b"token\xff")
                opened.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def made(capsys, *wanted):
    rows = [{"how": "tcp", "host": "127.0.0.1", "port": 1, "say": "x", **one} for one in wanted]
    attempts.main(json.dumps({"attempts": rows, "timeout_s": 0.2}))
    return json.loads(capsys.readouterr().out)


def test_what_a_target_says_comes_back_byte_by_byte(door, capsys):
    (found,) = made(capsys, {"port": door})
    assert (found["connected"], found["said"]) == (True, "token\xff")


def test_refusals_and_silence_are_told_apart_and_in_order(door, capsys):
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    with silent:
        found = made(capsys, {"port": 1}, {"how": "udp", "port": silent.getsockname()[1]}, {"port": door})
    assert [(one["connected"], one["saw"]) for one in found] == [
        (False, "Connection refused"),
        (False, "no answer"),
        (True, "connected"),
    ]


def test_a_datagram_s_answer_comes_back(capsys):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    answering = threading.Thread(target=lambda: server.sendto(b"here", server.recvfrom(99)[1]))
    answering.start()
    (found,) = made(capsys, {"how": "udp", "port": server.getsockname()[1]})
    answering.join()
    server.close()
    assert (found["said"], found["saw"]) == ("here", "answered")


@pytest.mark.parametrize(
    ("result", "connected"), [(None, True), (PermissionError(1, "Operation not permitted"), False)]
)
def test_rights_are_tried(capsys, monkeypatch, result, connected):
    class Opened:
        def __init__(self, *_):
            if result:
                raise result

        def close(self):
            pass

    monkeypatch.setattr(attempts.socket, "socket", Opened)
    assert [one["connected"] for one in made(capsys, {"how": "raw"}, {"how": "packet"})] == [connected] * 2


@pytest.mark.parametrize(("code", "connected"), [(0, True), (2, False)])
def test_a_route_is_tried(capsys, monkeypatch, code, connected):
    done = subprocess.CompletedProcess([], code, "", "RTNETLINK answers: Operation not permitted" if code else "")
    monkeypatch.setattr(attempts.subprocess, "run", lambda *_a, **_k: done)
    (found,) = made(capsys, {"how": "route", "host": "10.77.9.250"})
    assert found["connected"] is connected


def test_the_text_of_the_file_runs_by_itself():
    rows = json.dumps({"attempts": [{"how": "tcp", "host": "127.0.0.1", "port": 1, "say": ""}], "timeout_s": 1})
    words = [sys.executable, "-I", "-S", "-c", SOURCE, rows]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
    assert json.loads(done.stdout) == [{"connected": False, "said": "", "saw": "Connection refused"}]
    assert "import lab" not in SOURCE
    assert "from lab" not in SOURCE
