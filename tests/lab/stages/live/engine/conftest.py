"""A Docker daemon that is a few dictionaries behind a Unix socket, and that can fail at any one call."""

from __future__ import annotations

import json
import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from lab.stages.live.engine import connect

DECOYS = {
    "containers": [
        ("someones-web", {}),
        ("droidrange-0badcafe-handset-01", {}),  # our kind of name, no label
        ("registry", {"droidrange": "image"}),
        ("other-lab", {"droidrange.lab": "not-an-id"}),
        ("neighbour", {"org.example.lab": "0badcafe"}),
    ],
    "networks": [("bridge", {}), ("droidrange-0badcafe-underlay", {}), ("theirs", {"droidrange.lab": ""})],
}


class FakeDocker:
    """What is on the engine, and how its ``at``-th call from now goes wrong.

    error: refused with 500. drop: the connection breaks before anything is done. lost: it is done, but the connection
    breaks before the answer. late: the connection breaks, and the daemon does it only two calls later. hang: it is done
    and never answered.
    """

    def __init__(self):
        self.containers, self.networks, self.images = {}, {}, {"droidrange/base:abc"}
        self.calls, self.at, self.fault, self.serial = [], -1, "", 0
        self.postponed = []
        self.over = threading.Event()
        self.version = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
        self.info = {"OSType": "linux", "OperatingSystem": "Debian", "SecurityOptions": ["name=seccomp"]}
        for name, labels in DECOYS["containers"]:
            self.create("containers", name, labels, {})
        for name, labels in DECOYS["networks"]:
            self.create("networks", name, labels, {"IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}})

    def fail(self, fault, at):
        """The ``at``-th call from now (0 is the next) goes wrong once."""
        self.fault, self.at, self.calls = fault, at, []

    def create(self, kind, name, labels, body):
        self.serial += 1
        made = f"{self.serial:064x}"
        getattr(self, kind)[made] = {"name": name, "labels": labels, "running": False, "body": body}
        return made

    def names(self, kind):
        return sorted(thing["name"] for thing in getattr(self, kind).values())

    def only_decoys(self):
        return all(self.names(kind) == sorted(name for name, _ in DECOYS[kind]) for kind in DECOYS)

    def answer(self, method, path, query, body):
        """(status, JSON) of a call, its effect done."""
        kind, _, rest = path.strip("/").partition("/")
        if kind in {"version", "info", "_ping"}:
            return 200, {"version": self.version, "info": self.info, "_ping": "OK"}[kind]
        if kind == "images":
            name = rest.removesuffix("/json")
            return (200, {"Id": name}) if name in self.images else (404, {"message": f"No such image: {name}"})
        if method == "GET" and rest in {"", "json"}:
            return 200, self.listed(kind, json.loads(query.get("filters", ["{}"])[0]))
        return self.one(method, kind, rest, query, body)

    def listed(self, kind, filters):
        wanted = [label.partition("=") for label in filters.get("label", [])]
        found = [
            (made, thing)
            for made, thing in getattr(self, kind).items()
            if all(
                key in thing["labels"] and (not sign or thing["labels"][key] == value) for key, sign, value in wanted
            )
        ]
        if kind == "networks":
            return [self.network(made, thing) for made, thing in found]
        return [{"Id": made, "Names": ["/" + thing["name"]], "Labels": thing["labels"]} for made, thing in found]

    def network(self, made, thing):
        ipam = thing["body"].get("IPAM") or {"Config": []}
        return {"Id": made, "Name": thing["name"], "Labels": thing["labels"], "IPAM": ipam, "Containers": {}}

    def one(self, method, kind, rest, query, body):
        things = getattr(self, kind)
        if rest == "create":
            if kind == "containers" and body["Image"] not in self.images:
                return 404, {"message": f"No such image: {body['Image']}"}
            name = query["name"][0] if kind == "containers" else body["Name"]
            if name in self.names(kind):
                return 409, {"message": f"{name} is already in use"}
            return 201, {"Id": self.create(kind, name, body.get("Labels") or {}, body)}
        name, _, verb = rest.partition("/")
        made = next((made for made, thing in things.items() if name in {made, thing["name"]}), None)
        if made is None:
            return 404, {"message": f"No such thing: {name}"}
        if method == "DELETE":
            del things[made]
            return 204, None
        return self.told(kind, made, things[made], verb)

    def told(self, kind, made, thing, verb):
        if verb == "start":
            thing["running"] = True
            return 204, None
        if kind == "networks":
            return 200, self.network(made, thing)
        return 200, {"Id": made, "Name": "/" + thing["name"], "Config": {"Labels": thing["labels"]}, "State": {}}

    def call(self, method, path, query, body):
        """What to send back, None to break the connection."""
        number = len(self.calls)
        self.calls.append(f"{method} {path}")
        for due, words in [x for x in self.postponed if x[0] <= number]:
            self.postponed.remove((due, words))
            self.answer(*words)
        if number != self.at:
            return self.answer(method, path, query, body)
        if self.fault == "error":
            return 500, {"message": "the daemon is unwell"}
        if self.fault in {"lost", "hang"}:
            self.answer(method, path, query, body)
        if self.fault == "hang":
            self.over.wait(30)
        if self.fault == "late":
            self.postponed.append((number + 2, (method, path, query, body)))
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        parts = urlsplit(re.sub(r"^/v\d+\.\d+", "", self.path))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = self.server.docker.call(
            self.command, parts.path, parse_qs(parts.query), json.loads(body) if body.startswith(b"{") else {}
        )
        if said is None:
            self.close_connection = True
            return
        content = b"" if said[1] is None else json.dumps(said[1]).encode()
        self.send_response(said[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_HEAD = serve  # noqa: N815 - the names http.server calls

    def address_string(self):
        return "local"

    def log_message(self, *words):
        """Says nothing."""


class Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A fake daemon, DOCKER_HOST pointing at it, the user's folders inside the test's."""
    made = FakeDocker()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/d.sock")
    with Daemon(str(tmp_path / "d.sock"), Handler) as server:
        server.docker = made
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def engine(docker):
    reached = connect()
    docker.calls.clear()
    yield reached
    reached.close()


@pytest.fixture
def state(tmp_path, monkeypatch):
    """The user's folders inside the test's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return SimpleNamespace(labs=tmp_path / "state/droidrange/labs", cache=tmp_path / "cache/droidrange")
