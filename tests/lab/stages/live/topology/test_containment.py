"""The certificate of a lab that is made up: what each attempt, frame and control does to its verdict."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest
from docker.errors import APIError

from lab.errors import StageError
from lab.stages.live.topology import containment
from lab.stages.live.topology.containment import certify
from lab.stages.live.topology.watch import Frame

MACS = {"gateway": "02:42:00:00:00:02", "servers": "02:42:00:00:00:03", "handset-01": "02:42:00:00:00:0a"}
PLACES = {"gateway": "10.77.9.2", "servers": "10.77.9.3", "handset-01": "10.77.9.10", "canary": "10.77.9.250"}
PERL = "raw\t{0}\tOperation not permitted\npacket\t0\tOperation not permitted\nroute\t0\tRTNETLINK answers: Operation not permitted\n"


class Container:
    """A container whose attempts have given results: by target, else refused."""

    def __init__(self, lab, name, user=""):
        self.lab, self.id, self.name = lab, name, f"droidrange-abc-{name}"
        self.user, self.raw, self.users = user, 0, []

    @property
    def attrs(self):
        end = {"IPAddress": self.lab.address(self.id), "MacAddress": MACS.get(self.id, "02:42:00:00:00:fa")}
        return {
            "NetworkSettings": {"Networks": {"droidrange-abc-underlay": end}},
            "Config": {"User": self.user},
            "HostConfig": {"CapAdd": ["NET_ADMIN"] if self.id == "gateway" else None},
        }

    def reload(self):
        if self.lab.broken == self.id:
            raise APIError("gone")

    def exec_run(self, words, user):
        self.users.append(user)
        if self.lab.hangs == self.id:
            self.lab.released.wait(5)
        if self.lab.fails == self.id:
            return 1, b"Traceback"
        if words[0] == "perl":
            return 0, PERL.format(self.raw).encode()
        wanted = json.loads(words[-1])["attempts"]
        return 0, json.dumps([self.lab.result(self.id, one) for one in wanted]).encode()

    def logs(self, **_kwargs):
        return b"listening\n" + json.dumps(self.lab.heard).encode() + b"\n"

    def stop(self, **_kwargs):
        pass


class Lab:
    """The engine, the network, and what the attempts of each container come to."""

    def __init__(self):
        self.reached = {}  # (container, host): what it says
        self.heard, self.frames, self.dropped, self.able = {}, [], 0, True
        self.broken = self.fails = self.hangs = ""
        self.released = threading.Event()
        self.stopped = set()
        self.token = ""
        self.removed = []
        self.containers = {name: Container(self, name) for name in ("gateway", "servers")}
        self.containers["servers"].user = "10200:10200"
        self.handset, self.sensor = Container(self, "handset-01"), Container(self, "handset-01")
        self.canary_reaches = True
        ends = {
            name: {"Name": f"droidrange-abc-{name}", "MacAddress": mac, "IPv4Address": f"{PLACES[name]}/24"}
            for name, mac in MACS.items()
        }
        attrs = {"IPAM": {"Config": [{"Subnet": "10.77.9.0/24"}]}, "Containers": ends}
        self.network = SimpleNamespace(
            id="0123456789abcdef", name="droidrange-abc-underlay", attrs=attrs, reload=lambda: None
        )
        bridge = SimpleNamespace(name="bridge", attrs={"IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}})
        networks = SimpleNamespace(get=lambda _name: self.network, list=lambda **_: [bridge])
        self.client = SimpleNamespace(networks=networks)
        self.session = SimpleNamespace(id="abc", full_name=lambda name: f"droidrange-abc-{name}")

    def address(self, name):
        return "" if name in self.stopped else PLACES[name]

    def run(self, _session, role, _image, name, *, command, **_kwargs):
        assert role == name == "canary"
        self.token = command[-2]
        return Container(self, "canary")

    def remove(self, container):
        self.removed.append(container.id)

    def result(self, name, attempt):
        if name == "canary":
            said = self.token if self.canary_reaches else ""
            return {"connected": True, "said": said, "saw": "connected"}
        said = self.reached.get((name, attempt["host"]))
        if said is None:
            return {"connected": False, "said": "", "saw": "Connection refused"}
        return {"connected": True, "said": said.replace("TOKEN", self.token), "saw": "connected"}

    def certificate(self):
        return certify(self, self.session, self.containers, [(self.handset, self.sensor)])


@pytest.fixture
def lab(monkeypatch):
    made = Lab()
    made.frames = [Frame("veth9", True, bytes(6) + bytes.fromhex("0242000000fa") + bytes(60))]

    class Watched:
        def __enter__(self):
            self.frames, self.dropped, self.able = made.frames, made.dropped, made.able
            return self

        def __exit__(self, *_):
            pass

    class Bound:
        def __init__(self, addresses, _token):
            self.bound = [(address, 4001) for address in addresses]

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(containment, "Watch", Watched)
    monkeypatch.setattr(containment, "Listeners", Bound)
    monkeypatch.setattr(containment, "own_address", lambda: "192.0.2.2")
    monkeypatch.setattr(containment, "ports_of", lambda _bridge: ["veth9"])
    monkeypatch.setattr(containment, "image_tag", lambda role: f"droidrange/{role}:1")
    return made


def test_a_lab_from_which_nothing_is_reached_holds_and_that_is_proved(lab):
    found = lab.certificate()
    assert (found["held"], found["proved"], found["reached"]) == (True, True, 0)
    assert {name: one["uid"] for name, one in found["containers"].items()} == {
        "gateway": 900,
        "servers": 10200,
        "handset-01": 10123,
    }
    assert found["containers"]["gateway"]["capabilities"] == ["NET_ADMIN"]
    assert found["attempts"] == sum(len(one["attempts"]) for one in found["containers"].values()) > 60
    assert lab.removed == ["canary"]
    json.dumps(found)


def test_the_machine_s_own_address_and_the_token_stay_on_the_machine(lab):
    text = json.dumps(lab.certificate())
    assert "192.0.2.2" not in text
    assert lab.token not in text
    assert "this machine's own address, tcp" in text


@pytest.mark.parametrize(
    ("name", "host", "said", "what"),
    [
        ("handset-01", "10.77.9.1", "TOKEN", "this machine on the underlay"),
        ("servers", "172.17.0.1", "TOKEN", "this machine on the engine's default bridge"),
        ("gateway", "10.77.9.250", "TOKEN", "a neighbour outside the lab"),
        ("gateway", "198.51.100.7", "", "outside address"),
        ("servers", "10.77.9.2", "", "gateway's own port"),
        ("handset-01", "10.88.0.1", "", "gateway's proxy, directly"),
        ("servers", "127.0.0.11", "\x12\x34\x81\x80\x00\x01\x00\x01\0\0\0\0", "engine's resolver"),
    ],
)
def test_whatever_is_reached_breaks_it(lab, name, host, said, what):
    lab.reached[name, host] = said
    found = lab.certificate()
    assert (found["held"], found["proved"]) == (False, False)
    assert what in {one["what"] for one in found["containers"][name]["attempts"] if one["reached"]}


def test_a_call_that_only_a_proxy_took_does_not(lab):
    lab.reached["handset-01", "169.254.169.254"] = "HTTP/1.1 502 Bad Gateway"
    found = lab.certificate()
    assert found["held"]
    told = [one["saw"] for one in found["containers"]["handset-01"]["attempts"] if one["what"] == "metadata service"]
    assert told == ["connected, but not to the target"]


def test_a_right_too_many_breaks_it(lab):
    lab.handset.raw = 1
    assert not lab.certificate()["held"]


def test_a_frame_on_the_outer_side_breaks_it_though_nothing_came_back(lab):
    frame = bytes(6) + bytes.fromhex("02420000000a") + b"\x08\x00" + bytes(60)
    lab.frames.append(Frame("veth9", True, frame))
    found = lab.certificate()
    assert (found["held"], found["reached"], found["outside"]["leaked"]) == (False, 0, 1)


def test_a_frame_to_the_canary_breaks_it_and_looking_for_it_does_not(lab):
    lab.heard = {MACS["servers"]: {"arp": 5, "other": 0}}
    assert lab.certificate()["held"]
    lab.heard = {MACS["servers"]: {"arp": 5, "other": 2}}
    found = lab.certificate()
    assert (found["held"], found["outside"]["canary"]) == (False, {"servers": 2})


@pytest.mark.parametrize("silent", ["canary_reaches", "frames", "dropped"])
def test_controls_that_do_not_fire_leave_it_unproved(lab, silent):
    setattr(lab, silent, {"canary_reaches": False, "frames": [], "dropped": 3}[silent])
    found = lab.certificate()
    assert (found["held"], found["proved"]) == (True, False)


def test_without_the_right_to_watch_it_says_what_was_not_watched(lab):
    lab.able = False
    found = lab.certificate()
    assert found["outside"]["watched"]["ports"] == 0
    assert found["proved"]  # the canary watched, and got out


def test_attempts_that_cannot_be_made_are_no_certificate_and_leave_no_canary(lab):
    lab.fails = "servers"
    with pytest.raises(StageError, match="droidrange-abc-servers: attempts ended with 1"):
        lab.certificate()
    assert lab.removed == ["canary"]


def test_attempts_that_hang_end_and_are_named_with_a_next_step(lab, monkeypatch):
    monkeypatch.setattr(containment, "_WITHIN_S", 0.2)
    lab.hangs = "servers"
    try:
        with pytest.raises(StageError, match=r"not over within 0.2 s in: servers; .*lab status`, then run it again$"):
            lab.certificate()
    finally:
        lab.released.set()
    assert lab.removed == ["canary"]


def test_a_container_that_does_not_run_is_no_member(lab):
    lab.stopped.add("servers")
    with pytest.raises(StageError, match="does not run"):
        lab.certificate()
    lab.broken = "gateway"
    with pytest.raises(StageError, match="not on the underlay"):
        lab.certificate()
