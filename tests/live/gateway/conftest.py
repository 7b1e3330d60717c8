"""A gateway with a phone and servers, for the tests of this folder, and what was said across it."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.protocols.handshakes.certificates import Authority
from lab.stages.live.control import ask
from lab.stages.live.engine import connect, ensure_images, image_tag, open_session, sweep
from lab.stages.live.gateway.gateway import make_authority, run_arguments
from lab.stages.live.gateway.overheard import events
from lab.stages.live.topology import addresses
from lab.stages.live.topology.namespaces import set_up

PHONE, WEB, EXEMPT = "10.88.1.10", "198.18.0.1", "198.18.0.9"
PYTHON = "/opt/mitmproxy/bin/python"
OWNER = 1234  # of the folders, who is neither root nor anybody in the containers
CASES = {
    "http": ("web", WEB, 80),
    "https": ("web", WEB, 443, "gateway.pem"),
    "large": ("web", WEB, 8443, "gateway.pem", "/bytes/3000000", 2000000),
    "planned": ("web", WEB, 5080, "-", "/bytes/5000"),
    "chunked": ("web", WEB, 80, "-", "/chunked"),
    "close": ("web", WEB, 8080, "-", "/close"),
    "idle": ("web", WEB, 80, "-", "/idle-close"),
    "shared": ("shared", WEB, "198.18.0.2", 80),
    "ws": ("websocket", WEB, 80),
    "wss": ("websocket", WEB, 443, "gateway.pem"),
    "h2": ("web2", WEB, "gateway.pem"),
    "distrustful": ("pinned", WEB, "origin.pem"),
    "exempt": ("web", EXEMPT, 443, "origin.pem"),
    "dns": ("names", "www.lab.example"),
    "again": ("again", "www.lab.example", 25, 1),
    "greeted": ("greeted", WEB, 2525),
    "forwarded": ("greeted", "198.18.0.2", 2525),
}


@pytest.fixture(scope="module")
def engine():
    found = connect()
    ensure_images(found, lambda _line: None, {"gateway", "topology"})
    return found


def made_folders(session):
    folders = {name: session.folder / name for name in ("rec", "plan", "pki", "src")}
    for path in folders.values():
        path.mkdir()
    now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    gateway = make_authority(folders["pki"], now)
    origin = Authority("origin", (now - dt.timedelta(days=1), now + dt.timedelta(days=2)))
    (folders["plan"] / "pki").mkdir()
    www = origin.server("www.lab.example")
    (folders["plan"] / "pki/www.lab.example.pem").write_bytes(www.certificate + www.key)
    for path in (folders["plan"] / "pki/origin-ca.pem", folders["src"] / "origin.pem"):
        path.write_bytes(origin.own.certificate)
    (folders["src"] / "gateway.pem").write_bytes(gateway)
    for path in (Path(__file__).with_name(name) for name in ("origin.py", "client.py")):
        shutil.copy(path, folders["src"])
    if os.geteuid() == 0:
        for name in ("rec", "pki"):
            for path in (folders[name], *folders[name].iterdir()):
                os.chown(path, OWNER, OWNER)
            folders[name].chmod(0o700)
    return folders


@pytest.fixture
def gateway(engine):
    yield from running(engine, with_servers=False)


@pytest.fixture(scope="module")
def lab(engine):
    yield from running(engine, with_servers=True)


def running(engine, *, with_servers):
    """A gateway with a phone, and with servers if they are wanted."""
    session = open_session(hours=1)
    try:
        folders = made_folders(session)
        network = engine.network(session)
        network.reload()
        at = network.attrs["IPAM"]["Config"][0]["Subnet"].rpartition(".")[0]
        own = {"network": network.name}
        image = image_tag("gateway")
        mounts = {name: folders[name] for name in ("rec", "plan", "pki")}
        told = run_arguments(address=f"{at}.2", host=f"{at}.1", **mounts)
        container = engine.run(session, "gateway", image, "gateway", **own, **told)
        shared = {str(folders[name]): {"bind": f"/{name}", "mode": "ro"} for name in ("src", "plan")}
        start = partial(engine.run, session, image=image, volumes=shared, **own)
        phone = start("handset", name="phone", address=f"{at}.10", entrypoint=["sleep", "3600"])
        spec = addresses.gateway(
            underlay=f"{at}.2", host=f"{at}.1", handsets=[f"{at}.10"], servers=f"{at}.3", strangers=f"{at}.4"
        )
        set_up(engine, session, container, "gateway", spec)
        near = {"host": f"{at}.1", "gateway_underlay": f"{at}.2"}
        spec = addresses.handset(underlay=f"{at}.10", address=PHONE, mac="02:99:00:00:00:01", **near)
        set_up(engine, session, phone, "phone", spec)
        servers = None
        if with_servers:
            words = {"entrypoint": [PYTHON, "/src/origin.py"], "sysctls": addresses.sysctls("servers")}
            servers = start("servers", name="servers", address=f"{at}.3", **words)
            set_up(engine, session, servers, "servers", addresses.servers(underlay=f"{at}.3", **near))
            until = time.monotonic() + 60
            while b'"ready"' not in servers.logs():
                assert time.monotonic() < until
                time.sleep(0.05)
        yield SimpleNamespace(
            container=container,
            servers=servers,
            rec=folders["rec"],
            ask=partial(ask, f"{at}.2", role="gateway", timeout_s=60),
            do=partial(done, phone),
        )
    finally:
        sweep(engine, [session.id])


def done(phone, *words):
    """What a case on the phone prints."""
    code, output = phone.exec_run([PYTHON, "/src/client.py", *map(str, words)])
    assert code == 0, output.decode()
    return json.loads(output.decode().splitlines()[-1])


@pytest.fixture(scope="module")
def spoken(lab):
    """Every case once, in one capture."""
    plan = {"redirect": [[WEB, 5080], [WEB, 2525]], "exempt": [[EXEMPT, 443]], "resolver_upstream": ["100.64.77.2", 53]}
    assert lab.ask("plan", **plan) == {"intercepted": 2, "exempted": 1, "origin_ca": True}
    lab.ask("capture", name="cases")
    heard = {name: lab.do(*words) for name, words in CASES.items()}
    counted = lab.ask("stop")
    rows = list(events(lab.rec / "cases.jsonl"))
    told = [json.loads(line) for line in lab.servers.logs().decode().splitlines()]
    return SimpleNamespace(heard=heard, counted=counted, rows=rows, told=told, pcap=lab.rec / "cases.pcap", cases=CASES)
