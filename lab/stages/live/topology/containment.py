"""The containment certificate: what was tried from every container of a lab to get out, and what came of it.

It can fail, and shows that it can: the canary, a container without our rules, must reach what the others must not, and
the outer watch must see its frames. ``held``: nothing got out. ``proved``: and the controls fired.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab.errors import StageError
from lab.stages.live.engine.engine import FAULTS, Engine, told
from lab.stages.live.engine.images import image_tag
from lab.stages.live.engine.session import Session
from lab.stages.live.threads import side_by_side
from lab.stages.live.topology import escapes
from lab.stages.live.topology.escapes import CANARY_PORT, Escape, Member
from lab.stages.live.topology.listeners import Listeners, own_address
from lab.stages.live.topology.namespaces import IMAGE_ROLE, PACKAGE, PYTHON
from lab.stages.live.topology.watch import Inside, Watch, bridge_of, judged, ports_of

SCHEMA_VERSION = 1
_TIMEOUT_S = 0.8  # by then a lab's own answers have long come; whatever leaves later the outer watch sees
_PATIENCE_S = 5.0  # of the control, which is expected to get an answer
_WITHIN_S = 40.0  # all attempts together; 1 to 2 s where nothing else runs
_AT_ONCE = 9
_CANARY_PLACE = 250  # on the underlay
_WORKING_UIDS = {"gateway": 900, "handset": 10_123}  # mitmproxy's; an app's. Others have the user of their container
_NOBODY = 65534
UNDERLAY, DEFAULT = "this machine on the underlay", "this machine on the engine's default bridge"
OWN = "this machine's own address"  # and not which: a certificate leaves the machine
_SOURCE = Path(__file__).parent / "image" / "attempts.py"
# the handset's image has no Python; Debian always has perl-base. Socket numbers are those of Linux.
_PERL = (
    '$|=1; for (["raw",2,3,255],["packet",17,3,0]) { my ($n,@a)=@$_;'
    ' print "$n\\t".(socket(my $s,$a[0],$a[1],$a[2])?1:0)."\\t$!\\n" }'
    ' my $o=`ip route replace 203.0.113.0/24 via $ARGV[0] 2>&1`; chomp $o; print "route\\t".($?==0?1:0)."\\t$o\\n"'
)


@dataclass(frozen=True)
class Bait:
    """What only somebody outside can give back: a token, and answers about a name; and where the canary is."""

    token: str
    name: str
    canary: str

    @classmethod
    def fresh(cls, subnet: IPv4Network) -> Bait:
        """Never used before, so that nothing old can be mistaken for it."""
        name = f"x{secrets.token_hex(8)}.containment.example"
        return cls(secrets.token_hex(16), name, str(subnet[_CANARY_PLACE]))


@dataclass(frozen=True)
class Place:
    """A member and where its attempts are made: ``network`` shares its namespace, ``container`` is itself."""

    member: Member
    network: Any
    container: Any


def certify(
    engine: Engine, session: Session, containers: Mapping[str, Any], handsets: Sequence[tuple[Any, Any]]
) -> dict[str, Any]:
    """The certificate of a lab, 3 to 4 s for five handsets; JSON for the recording.

    ``containers``: by role (gateway, servers, strangers); ``handsets``: each one's container and sensor. StageError if
    the attempts could not be made: that is no certificate.
    """
    begun = time.monotonic()
    network = _network(engine, session)
    subnet = IPv4Network(network.attrs["IPAM"]["Config"][0]["Subnet"])
    lab = session.full_name("")
    places = [_place(network.name, lab, role, one, one) for role, one in containers.items()]
    places += [_place(network.name, lab, "handset", sensor, handset) for handset, sensor in handsets]
    bait = Bait.fresh(subnet)
    host = str(subnet[1])
    addresses = {own_address() or host: OWN, **dict.fromkeys(_bridge_addresses(engine), DEFAULT), host: UNDERLAY}
    with Watch() as watch, Listeners(addresses, bait.token) as listeners:
        canary = _start_canary(engine, session, network.name, bait)
        try:
            doors = [(address, port, addresses[address]) for address, port in listeners.bound]
            made = _all_attempts(places, canary, doors, bait)
            bridge = bridge_of(network.id)
            ports = ports_of(bridge)
            inside = _inside(network, places, canary, subnet, host)
        finally:
            heard = _stop_canary(engine, canary)
    outside = judged(watch.frames, ports, inside, bridge, bait.name.partition(".")[0].encode())
    outside |= {"watched": _watched(watch, bridge, ports), "dropped": watch.dropped, "canary": _heard(heard, inside)}
    return _verdict(made, outside, round(1000 * (time.monotonic() - begun)))


def _verdict(made: dict[str, Any], outside: dict[str, Any], took_ms: int) -> dict[str, Any]:
    """The certificate out of its parts."""
    attempts = [one for tried in made["containers"].values() for one in tried["attempts"]]
    reached = [one for one in attempts if one["reached"]]
    able = bool(outside["watched"]["ports"])
    seen = not able or outside["frames"].get("canary", 0) > 0
    held = bool(attempts) and not reached and not outside["leaked"] and not any(outside["canary"].values())
    return {
        "schema_version": SCHEMA_VERSION,
        "held": held,
        "proved": bool(held and made["control"]["fired"] and seen and not outside["dropped"]),
        "attempts": len(attempts),
        "reached": len(reached),
        **made,
        "outside": outside,
        "took_ms": took_ms,
    }


def _all_attempts(places: list[Place], canary: Any, hosts: list[tuple[str, int, str]], bait: Bait) -> dict[str, Any]:
    """Every member's attempts and the canary's own, all at once."""
    everybody, question = [place.member for place in places], escapes.dns_question(bait.name)
    known = [*hosts, (bait.canary, CANARY_PORT, "a neighbour outside the lab")]

    def tried(place: Place) -> dict[str, Any]:
        network = escapes.escapes(place.member, everybody, known, question)
        rows = _told(network, _python(place.network, network, str(place.member.uid)), bait.token)
        rows += _told(needed := escapes.privileges(bait.canary), _privileges(place, needed), bait.token)
        rights = sorted(place.container.attrs["HostConfig"].get("CapAdd") or ())  # of its root, which parses nothing
        return {"role": place.member.role, "uid": place.member.uid, "capabilities": rights, "attempts": rows}

    control = [Escape(what, "tcp", address, port, "token", "x") for address, port, what in hosts]
    calls: dict[str, Callable[[], Any]] = {place.member.name: partial(tried, place) for place in places}
    fired: dict[str, Callable[[], Any]] = {"canary": partial(_python, canary, control, str(_NOBODY), _PATIENCE_S)}
    try:
        found: dict[str, Any] = side_by_side({**fired, **calls}, at_once=_AT_ONCE, within_s=_WITHIN_S)
    except TimeoutError as late:
        said = f"attempts to get out were not over within {_WITHIN_S:g} s in: {late}"
        raise StageError(f"{said}; is the machine busy? `droidrange lab status`, then run it again") from late
    rows = _told(control, found.pop("canary"), bait.token)
    return {"containers": found, "control": {"fired": any(row["reached"] for row in rows), "attempts": rows}}


def _told(tried: Sequence[Escape], results: Sequence[Mapping[str, Any]], token: str) -> list[dict[str, Any]]:
    return [
        _row(one, result, reached=escapes.got_out(one, result, token))
        for one, result in zip(tried, results, strict=True)
    ]


def _row(one: Escape, result: Mapping[str, Any], *, reached: bool) -> dict[str, Any]:
    where = one.target if one.what != OWN else f"{OWN}, {one.how}"
    taken = "" if reached or not result["connected"] else ", but not to the target"  # a proxy of the lab took the call
    return {"what": one.what, "target": where, "reached": reached, "saw": result["saw"] + taken}


def _python(container: Any, tried: Sequence[Escape], user: str, timeout_s: float = _TIMEOUT_S) -> list[dict[str, Any]]:
    """What came of attempts made by Python in a container."""
    rows = [{"how": one.how, "host": one.host, "port": one.port, "say": one.say} for one in tried]
    words = [*PYTHON[:2], "-c", _SOURCE.read_text(encoding="utf-8")]
    said = _execute(container, [*words, json.dumps({"attempts": rows, "timeout_s": timeout_s})], user)
    results: list[dict[str, Any]] = json.loads(said)
    return results


def _privileges(place: Place, needed: Sequence[Escape]) -> list[dict[str, Any]]:
    user = str(place.member.uid)
    if place.member.role != "handset":
        return _python(place.container, needed, user)
    said = _execute(place.container, ["perl", "-e", _PERL, needed[-1].host], user)
    rows = {name: (ok, saw) for name, ok, saw in (line.split("\t") for line in said.splitlines())}
    return [{"connected": rows[one.how][0] == "1", "said": "", "saw": rows[one.how][1]} for one in needed]


def _execute(container: Any, words: list[str], user: str) -> str:
    try:
        code, said = container.exec_run(words, user=user)
    except FAULTS as fault:
        raise StageError(f"{container.name}: no attempt could be made: {told(fault)}") from fault
    if code != 0:
        raise StageError(f"{container.name}: attempts ended with {code}: {said.decode(errors='replace')[-500:]}")
    return str(said.decode())


def _place(network: str, lab: str, role: str, inside: Any, container: Any) -> Place:
    settings = _endpoint(container, network)
    user = (container.attrs["Config"].get("User") or "").partition(":")[0]
    uid = _WORKING_UIDS.get(role, int(user) if user.isdigit() and user != "0" else _NOBODY)
    name = str(container.name).removeprefix(lab)
    return Place(Member(name, role, settings["IPAddress"], settings["MacAddress"], uid), inside, container)


def _endpoint(container: Any, network: str) -> dict[str, Any]:
    """The container's end on the underlay; asked for anew, since it may be known from before its start."""
    try:
        container.reload()
        settings: dict[str, Any] = container.attrs["NetworkSettings"]["Networks"][network]
    except (*FAULTS, KeyError) as fault:
        raise StageError(f"{container.name}: not on the underlay: {told(fault)}") from fault
    if not settings.get("IPAddress"):
        raise StageError(f"{container.name}: does not run, so nothing can be tried from it")
    return settings


def _network(engine: Engine, session: Session) -> Any:
    try:
        return engine.client.networks.get(session.full_name("underlay"))
    except FAULTS as fault:
        raise StageError(f"the lab {session.id} has no underlay: {told(fault)}") from fault


def _bridge_addresses(engine: Engine) -> list[str]:
    """This machine's addresses on the engine's default bridge."""
    try:
        found = engine.client.networks.list(names=["bridge"])
    except FAULTS as fault:
        raise StageError(f"the engine does not list its networks: {told(fault)}") from fault
    pools = [pool for net in found if net.name == "bridge" for pool in net.attrs["IPAM"]["Config"] or ()]
    return [pool.get("Gateway") or str(IPv4Network(pool["Subnet"])[1]) for pool in pools if "Subnet" in pool]


def _start_canary(engine: Engine, session: Session, network: str, bait: Bait) -> Any:
    words = [*PYTHON, f"{PACKAGE}.canary", bait.token, str(CANARY_PORT)]
    canary = engine.run(
        session,
        "canary",
        image_tag(IMAGE_ROLE),
        "canary",
        command=words,
        network=network,
        address=bait.canary,
        caps=("NET_RAW",),
        mem_limit="48m",
    )
    until = time.monotonic() + 20.0
    while b"listening" not in canary.logs():
        if time.monotonic() > until:
            said = canary.logs().decode(errors="replace")
            engine.remove(canary)
            raise StageError(f"the canary does not listen: {said}")
        time.sleep(0.02)
    return canary


def _stop_canary(engine: Engine, canary: Any) -> dict[str, dict[str, int]]:
    """Ends the canary; which MAC sent it how many frames of which kind."""
    try:
        canary.stop(timeout=10)
        frames: dict[str, dict[str, int]] = json.loads(canary.logs(stderr=False).splitlines()[-1])
    except (*FAULTS, ValueError, IndexError) as fault:
        raise StageError(f"the canary did not say what it heard: {told(fault)}") from fault
    finally:
        engine.remove(canary)
    return frames


def _inside(network: Any, places: list[Place], canary: Any, subnet: IPv4Network, host: str) -> Inside:
    """Everything that is on the underlay now, whether attempts are made from it or not."""
    network.reload()
    names = {place.member.mac: place.member.name for place in places}
    own = _endpoint(canary, network.name)
    ends = [end for end in network.attrs["Containers"].values() if end["MacAddress"] != own["MacAddress"]]
    names = {**{end["MacAddress"]: str(end["Name"]) for end in ends}, **names, own["MacAddress"]: "canary"}
    return Inside(names, subnet, host, frozenset(end["IPv4Address"].partition("/")[0] for end in ends))


def _watched(watch: Watch, bridge: str, ports: list[str]) -> dict[str, Any]:
    """What the outer watch covered; without the right to watch only the canary did."""
    if not watch.able or not ports:
        return {"ports": 0, "interfaces": "none: this user may not, or the engine is not on this machine"}
    return {
        "ports": len(ports),
        "interfaces": f"every port of {bridge}, and all other interfaces for what is the lab's",
    }


def _heard(frames: Mapping[str, Mapping[str, int]], inside: Inside) -> dict[str, int]:
    """How many frames beside ARP each of the lab's containers sent to the canary."""
    return {name: count["other"] for mac, name in inside.names.items() if (count := frames.get(mac)) and count["other"]}
