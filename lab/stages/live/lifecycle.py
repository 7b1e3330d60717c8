"""A lab's life: brought up from images, found again by another process, shown, and taken down to nothing.

Every container has its place on the underlay by role, so whoever finds a lab by its labels can talk to it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab import console
from lab.errors import PrerequisiteError, StageError
from lab.stages.live.control import Control
from lab.stages.live.engine import (
    Engine,
    Session,
    Swept,
    connect,
    ensure_images,
    open_session,
    sessions,
    sweep,
)
from lab.stages.live.engine.images import image_tag
from lab.stages.live.engine.labs import stale
from lab.stages.live.engine.playing import alone
from lab.stages.live.engine.session import state_folder
from lab.stages.live.finding import attach
from lab.stages.live.gateway.gateway import make_authority
from lab.stages.live.gateway.gateway import run_arguments as gateway_arguments
from lab.stages.live.handset.handset import run_arguments as handset_arguments
from lab.stages.live.handset.handset import write_hosts
from lab.stages.live.livelab import Handset, LiveLab
from lab.stages.live.servers.services import arguments as servers_arguments
from lab.stages.live.topology import addresses
from lab.stages.live.topology.namespaces import set_up, start_sensor
from lab.stages.live.wiring import (
    MOST_HANDSETS,
    answering_spec,
    gateway_spec,
    handset_name,
    handset_spec,
    place,
    resting,
)

_AT_ONCE = 4  # starts; more of them only wait for each other in the engine
_READY_S = 120.0  # of control ports; mitmproxy is the slowest to come, see its supervisor
FOLDERS = ("rec", "plan", "pki")
_EMPTY_CAPTURE = 24  # bytes: a pcap header and no packet

Say = Callable[[str], None]


def up(devices: int, *, kept: bool, hours: float = 12.0, say: Say = lambda _line: None) -> LiveLab:
    """Builds what is missing and brings up a lab with so many handsets; what fails half-way is taken down again.

    Raises PrerequisiteError for what this machine lacks and StageError for what did not come up.
    """
    if not 1 <= devices <= MOST_HANDSETS:
        raise PrerequisiteError(f"handsets: found {devices}, expected 1 to {MOST_HANDSETS}: their network is a /24")
    engine = connect()
    ensure_images(engine, say)
    session = open_session(kept=kept, hours=hours)
    try:
        with session.coming_up():
            return _brought_up(engine, session, devices, say)
    except StageError as fault:
        said = last_words(engine, session)
        sweep(engine, [session.id])
        raise StageError(f"{fault}; {said}" if said else str(fault)) from fault
    except BaseException:
        say("taking down what was half up")
        sweep(engine, [session.id])
        raise


def last_words(engine: Engine, session: Session) -> str:
    """What the containers that have ended said last, for the error that their end has caused."""
    words = []
    for container in engine.containers(session):
        if container.status in {"exited", "dead"}:
            said = container.logs(tail=3).decode(errors="replace").strip()
            words.append(f"{container.name} ended: {said or 'without a word'}")
    return "; ".join(words)


def down(engine: Engine, ids: Iterable[str], *, force: bool = False, say: Say = console.say) -> list[Path]:
    """Takes labs down to nothing; returns where the captures are that no recording has.

    StageError if one of them is playing (``force`` takes it down all the same), or if anything is left.
    """
    chosen = set(ids)
    known = [session for session in sessions() if session.id in chosen]
    with ExitStack() as held:
        for session in () if force else known:
            held.enter_context(_busy(session, f"all the same: droidrange lab down --force {session.id}"))
        saved = rescue(known, say)
        sweep(engine, chosen)
    return saved


def clean(engine: Engine, say: Say = console.say) -> tuple[Swept, list[Path]]:
    """Takes down every lab that nobody wants any more: expired, or its owner is dead. Captures are saved first.

    A lab in which somebody plays, or begins to play meanwhile, is left alone.
    """
    unwanted = {lab.id for lab in stale(engine)}
    known = [session for session in sessions() if session.id in unwanted]
    with ExitStack() as held:
        for session in known:
            try:
                held.enter_context(alone(session.folder))
            except BlockingIOError:
                unwanted.discard(session.id)
            except FileNotFoundError:
                continue  # somebody else's sweep was faster
        saved = rescue([session for session in known if session.id in unwanted], say)
        return sweep(engine, unwanted), saved


def rescue(lost: Iterable[Session], say: Say) -> list[Path]:
    """Moves what was captured for recordings that were never finished out of the labs' folders, before these go.

    Each is said at once. Only regular files: containers write there, and a link of theirs could name any file of ours.
    """
    saved = []
    for session in lost:
        for path in filter(_captured, sorted((session.folder / "rec").glob("*"))):
            target = _rescued(session.id) / path.name
            path.rename(target)
            say(f"captured by a run that never ended: {target}")
            saved.append(target)
    return saved


def _captured(path: Path) -> bool:
    try:
        seen = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(seen.st_mode) and seen.st_size > _EMPTY_CAPTURE


def _rescued(name: str) -> Path:
    """The folder of a lab's rescued captures; they are for this user's eyes only."""
    folder = state_folder() / "rescued" / name
    folder.mkdir(parents=True, exist_ok=True)
    for one in (folder.parent, folder):
        one.chmod(0o700)
    return folder


@contextmanager
def borrowed(devices: int, name: str | None, say: Say, needs_s: float | None = None) -> Iterator[LiveLab]:
    """A lab with at least so many handsets: the one that is up, or one for this time only.

    ``needs_s``: how long the run lasts, in seconds, if known: a lab that is up must stay so long. PrerequisiteError if
    that lab does not suit, StageError if another process plays in it.
    """
    lab = attach(name)
    if lab is None:
        with _for_once(devices, say) as lab:
            yield lab
        return
    if len(lab.handsets) < devices:
        raise PrerequisiteError(
            f"lab {lab.session.id} has {console.plural(len(lab.handsets), 'handset')}, the scenario has {devices} "
            f"devices: droidrange lab down {lab.session.id} && droidrange lab up --devices {devices}"
        )
    if needs_s is not None:
        _refuse_short_lived(lab, needs_s)
    with _busy(lab.session, "bring up another and choose it with --lab"):
        yield lab


@contextmanager
def _for_once(devices: int, say: Say) -> Iterator[LiveLab]:
    lab = up(devices, kept=False, say=say)
    try:
        with _busy(lab.session, "take it down"):
            yield lab
    finally:
        down(lab.engine, [lab.session.id], force=True, say=say)


def _refuse_short_lived(lab: LiveLab, needs_s: float) -> None:
    left_s = lab.session.expires - time.time()
    if left_s < needs_s:
        raise PrerequisiteError(
            f"lab {lab.session.id} stays for {max(left_s, 0) / 60:.0f} more minutes, the run takes {needs_s / 60:.0f}: "
            f"droidrange lab down {lab.session.id} && droidrange lab up --devices {len(lab.handsets)} "
            f"--hours {math.ceil(needs_s / 3600) + 1}"
        )


@contextmanager
def _busy(session: Session, otherwise: str) -> Iterator[None]:
    """A lab plays one timeline at a time; StageError, with what else there is to do, if another process has it."""
    with ExitStack() as held:
        try:
            held.enter_context(alone(session.folder))
        except BlockingIOError:
            raise StageError(f"lab {session.id} is playing already; wait, or {otherwise}") from None
        except FileNotFoundError:
            raise StageError(f"lab {session.id} was just taken down: droidrange lab status") from None
        yield


def _brought_up(engine: Engine, session: Session, devices: int, say: Say) -> LiveLab:
    for name in FOLDERS:
        (session.folder / name).mkdir()
        (session.folder / name).chmod(0o755)  # containers read them under uids of their own, whatever the umask
    make_authority(session.folder / "pki", dt.datetime.now(dt.UTC))  # noqa: TID251 - a certificate's validity, no verdict
    network = engine.network(session)
    subnet = IPv4Network(network.attrs["IPAM"]["Config"][0]["Subnet"])
    say(f"lab {session.id}: {console.plural(devices, 'handset')} on {subnet}")
    starts: list[Callable[[], Any]] = [
        lambda: _gateway(engine, session, network.name, subnet, devices),
        lambda: _answering(engine, session, network.name, subnet, "servers"),
        lambda: _answering(engine, session, network.name, subnet, "strangers"),
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        core = [pool.submit(start) for start in starts]
        phones = [pool.submit(_handset, engine, session, network.name, subnet, index) for index in range(devices)]
        gateway, servers, strangers = (one.result() for one in core)
        handsets = tuple(one.result() for one in phones)
    containers = {"gateway": gateway, "servers": servers, "strangers": strangers}
    lab = LiveLab(engine, session, subnet, containers, handsets)
    asyncio.run(_answering_all(lab))
    return lab


async def _answering_all(lab: LiveLab) -> None:
    """Until every control port answers; StageError names the one that does not."""

    async def answers(role: str) -> None:
        (await Control.open(lab.at(role), role=role, timeout_s=_READY_S)).close()

    await asyncio.gather(*map(answers, lab.containers))


def _gateway(engine: Engine, session: Session, network: str, subnet: IPv4Network, devices: int) -> Any:
    folders = {name: session.folder / name for name in FOLDERS}
    host, own = str(subnet[1]), place(subnet, "gateway")
    arguments = gateway_arguments(address=own, host=host, **folders)
    container = engine.run(session, "gateway", image_tag("gateway"), "gateway", network=network, **arguments)
    set_up(engine, session, container, "gateway", gateway_spec(subnet, devices))
    return container


def _answering(engine: Engine, session: Session, network: str, subnet: IPv4Network, role: str) -> Any:
    arguments = servers_arguments(
        role,
        session.folder / "plan",
        address=place(subnet, role),
        host=str(subnet[1]),
        gateway=addresses.GATEWAY_INET,
    )
    arguments["sysctls"] = addresses.sysctls(role)
    container = engine.run(session, role, image_tag("servers"), role, network=network, **arguments)
    set_up(engine, session, container, role, answering_spec(subnet, role))
    return container


def _handset(engine: Engine, session: Session, network: str, subnet: IPv4Network, index: int) -> Handset:
    own, (address, mac) = place(subnet, "handset", index), resting(index)
    name = handset_name(index)
    hosts = session.folder / f"{name}.hosts"
    write_hosts(hosts, {})
    arguments = handset_arguments(address=own, hosts=hosts, serial=name)
    container = engine.run(session, "handset", image_tag("handset"), name, network=network, **arguments)
    start_sensor(engine, session, container, name, handset_spec(subnet, index, address, mac))
    return Handset(index, container, own)
