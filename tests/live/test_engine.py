import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.stages.live.engine import connect, ensure_images, find_labs, image_tag, images_missing, open_session, sweep
from lab.stages.live.engine.session import LABEL

pytestmark = pytest.mark.live

BOUND_S = 120  # of every wait: it ends a hang, and judges no speed

BRING_UP = """
import sys
from lab.stages.live.engine import connect, image_tag, open_session
engine, session = connect(), open_session(kept=sys.argv[1:] == ["kept"])
print(session.folder, flush=True)
with session.coming_up():
    network = engine.network(session)
    for name in ("one", "two", "three"):
        engine.run(session, "probe", image_tag("base"), name, command=["sleep", "300"], network=network.name)
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def engine():
    reached = connect()
    ensure_images(reached, print, roles=["base"])
    yield reached
    reached.close()


@pytest.fixture
def session(engine):
    made = open_session()
    yield made
    sweep(engine, [made.id])
    assert left_of(engine, made.id) == ([], [])


def left_of(engine, lab):
    wanted = {"label": f"{LABEL}.lab={lab}"}
    return engine.client.api.containers(all=True, filters=wanted), engine.client.api.networks(filters=wanted)


def said(container, *words):
    """(exit code, output) of words run in a container."""
    code, output = container.exec_run(list(words))
    return code, output.decode()


def test_the_base_image_is_built_and_found_again_at_once(engine):
    assert "base" not in images_missing(engine)
    ensure_images(engine, pytest.fail, roles=["base"])  # whatever it has to say, it says before it builds


def test_a_container_has_nothing_it_was_not_given(engine, session):
    network = engine.network(session)
    assert network.attrs["Internal"] is True
    probe = engine.run(
        session, "probe", image_tag("base"), "probe", command=["sleep", "300"], network=network.name, user="10123"
    )
    _, text = said(probe, "cat", "/proc/self/status")
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert {status[key] for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert said(probe, "sh", "-c", "echo x > /x")[0] != 0
    assert said(probe, "sh", "-c", "echo x > /tmp/x")[0] == 0
    assert said(probe, "ip", "link", "add", "x", "type", "dummy")[0] != 0
    assert said(probe, "unshare", "-Urn", "true")[0] != 0
    assert "1600" in said(probe, "cat", "/sys/class/net/eth0/mtu")[1]
    assert engine.client.api.inspect_container(probe.id)["HostConfig"]["PortBindings"] in (None, {})


def test_a_sidecar_sets_up_the_namespace_that_its_neighbour_may_not_touch(engine, session):
    probe = engine.run(session, "probe", image_tag("base"), "probe", command=["sleep", "300"])
    assert said(probe, "cat", "/proc/net/route")[1].count("\n") == 1  # no network, no route
    words = ["sh", "-c", "ip link add lab0 type bridge && ip addr add 10.88.1.1/32 dev lab0 && echo done"]
    assert engine.once(session, "netns", image_tag("base"), "netns", beside=probe, command=words) == "done\n"
    assert "10.88.1.1" in said(probe, "ip", "addr")[1]
    assert said(probe, "ip", "link", "del", "lab0")[0] != 0
    assert len(engine.containers(session)) == 1


def journal_lines(folder):
    journal = folder / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


@pytest.mark.parametrize("lines", [0, 1, 2, 3, 4, 8, 9])
@pytest.mark.parametrize(("how", "kept"), [(signal.SIGKILL, "kept"), (signal.SIGINT, "own")])
def test_nothing_is_left_of_a_lab_whose_owner_was_ended_anywhere_on_the_way_up(engine, lines, how, kept):
    """``lines`` of the journal: from 2, even is between intent and answer, odd between an answer and the next intent."""
    with subprocess.Popen(
        [sys.executable, "-c", BRING_UP, kept],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as owner:
        folder = Path(owner.stdout.readline().strip())
        until = time.monotonic() + BOUND_S
        while journal_lines(folder) < lines and time.monotonic() < until:
            time.sleep(0.001)
        assert journal_lines(folder) >= lines
        owner.send_signal(how)
        owner.communicate(timeout=BOUND_S)
    lab = folder.name
    assert lab in [found.id for found in find_labs(engine)]
    assert lab in sweep(engine).labs
    assert left_of(engine, lab) == ([], [])
    assert not folder.exists()
    assert lab not in sweep(engine).labs


def test_a_living_owners_lab_is_left_alone(engine):
    with subprocess.Popen(
        [sys.executable, "-c", BRING_UP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        lab = Path(owner.stdout.readline().strip()).name
        assert owner.stdout.readline() == "up\n"
        assert lab not in sweep(engine).labs
        assert len(left_of(engine, lab)[0]) == 3
        owner.communicate("", timeout=BOUND_S)
    assert lab in sweep(engine).labs
    assert left_of(engine, lab) == ([], [])


def test_twenty_go_down_in_five_seconds(engine, session):
    network = engine.network(session)

    def start(number):
        words = {"command": ["sleep", "300"], "network": network.name}
        return engine.run(session, "probe", image_tag("base"), f"probe-{number:02}", **words)

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(20)))
    up = time.monotonic()
    swept = sweep(engine, [session.id])
    down = time.monotonic()
    print(json.dumps({"containers": 20, "up_s": round(up - began, 2), "down_s": round(down - up, 2)}))
    assert (swept.containers, swept.networks, swept.folders) == (20, 1, 1)
    assert down - up <= max(5, 2 * (up - began))  # 5 s, or what the machine makes of it: its own pace is the measure
