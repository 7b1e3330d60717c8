"""Timelines made by hand and a small scenario file, for stages, recordings and runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from lab.behaviours import Speech
from lab.running.record import record
from lab.scenario import find_scenario, load_scenario
from lab.timeline import App, Conversations, Device, Exchanges, Host, Incident, Listener, States, Timeline

START = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z


@dataclass(frozen=True)
class Talk:
    """One conversation: exchanges are (after its start in us, up, down, delay in us)."""

    exchanges: Sequence[tuple[int, int, int, int]]
    start: int = 0  # after the timeline's start
    linger: int = 100_000
    app: int = 1
    host: int = 0
    speech: Speech = field(default_factory=lambda: Speech("opaque", port=4433))
    inbound: bool = False
    stack: int = 0
    incident: int = -1


def build(talks: Sequence[Talk], *, seed: int = 7, span: int = 3_600_000_000) -> Timeline:
    talks = sorted(talks, key=lambda talk: talk.start)
    speeches = tuple(talk.speech for talk in talks)
    rows = [
        (i, START + t.start + at, up, down, delay) for i, t in enumerate(talks) for at, up, down, delay in t.exchanges
    ]
    x = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    closes = [max([t.start, *(t.start + at + delay for at, _, _, delay in t.exchanges)]) + t.linger for t in talks]
    n = len(talks)
    return Timeline(
        scenario="by-hand",
        scenario_sha256="0" * 64,
        seed=seed,
        start=START,
        span=span,
        devices=(
            Device("phone-01", "10.88.3.4", "02:11:22:33:44:55", "02:aa:bb:cc:dd:ee", 50_000_000),
            Device("phone-02", "10.88.3.5", "02:11:22:33:44:56", "02:aa:bb:cc:dd:ee", 20_000_000),
        ),
        apps=(
            App(0, "netd", "netd", "system", 1051, True, (), "", 0),
            App(0, "com.example.torchlight", "Torchlight", "tools", 10123, False, (), "okhttp/4.12.0", 1),
            App(1, "com.example.weather", "Weather", "weather", 10124, True, ("vpn",), "okhttp/4.9.3", 0),
        ),
        hosts=(
            Host("api.garden.example", "198.18.7.9", 31_000),
            Host("", "198.19.200.1", 120_000),
            Host("", "10.88.9.9", 3_000),
            Host("cdn.river.test", "198.18.7.10", 12_345),
        ),
        speeches=speeches,
        behaviours=("http-poll", "web-browsing"),
        incidents=(
            Incident(
                "phone-01/com.example.torchlight/http-poll",
                "AN1793",
                "T1437.001",
                "http-poll",
                "",
                1,
                {"period": 300.0},
                1,
            ),
        ),
        conversations=Conversations(
            start=np.array([START + t.start for t in talks], dtype=np.int64),
            close=np.array([START + c for c in closes], dtype=np.int64),
            app=np.array([t.app for t in talks], dtype=np.int32),
            host=np.array([t.host for t in talks], dtype=np.int32),
            speech=np.arange(n, dtype=np.int32),
            inbound=np.array([t.inbound for t in talks], dtype=np.bool_),
            stack=np.array([t.stack for t in talks], dtype=np.int32),
            client_port=40_000 + np.arange(n, dtype=np.int32),
            incident=np.array([t.incident for t in talks], dtype=np.int32),
            behaviour=np.array([int(t.incident < 0) for t in talks], dtype=np.int32),
            seed=(np.arange(n, dtype=np.int64) + 1) * 7919 + seed,
        ),
        exchanges=Exchanges(x[0].astype(np.int32), x[1], x[2], x[3], x[4]),
        states=States(
            time=np.array([START, START + 60_000_000, START], dtype=np.int64),
            device=np.array([0, 0, 1], dtype=np.int32),
            screen_on=np.array([True, False, False]),
            locked=np.array([False, True, True]),
            foreground=np.array([1, -1, -1], dtype=np.int32),
            last_interaction=np.array([START, START + 50_000_000, START], dtype=np.int64),
            power=np.array([0, 1, 2], dtype=np.int32),
        ),
        listeners=(Listener(1, 1080, START, START + 30_000_000),),
    )


TALKS = (
    Talk([(0, 60, 0, 0)], app=0, host=0, speech=Speech("dns", port=53)),
    Talk(
        [(0, 400, 5_000, 20_000), (400_000, 300, 200_001, 30_000)],
        start=50_000,
        speech=Speech("http", tls=True),
        incident=0,
    ),
    Talk([(0, 300, 900, 5_000)], start=70_000, host=3, speech=Speech("http", port=80)),
    Talk([(0, 100_001, 7, 5_000), (50_000, 0, 300, 0)], start=90_000, app=2, host=1),
    Talk([(0, 500, 40_000, 1_000)], start=95_000, host=1, inbound=True, speech=Speech("opaque", port=1080)),
    Talk([(0, 10, 3_001, 1_000)], start=99_000, host=2, stack=3, speech=Speech("opaque", tls=True, port=8009)),
)


@pytest.fixture
def talk() -> type[Talk]:
    return Talk


@pytest.fixture
def timeline_of() -> Callable[..., Timeline]:
    """``timeline_of(talks)``: a timeline of two phones in which these conversations happen."""
    return build


@pytest.fixture
def tiny() -> Timeline:
    """Six conversations: DNS, HTTPS, HTTP, an upload with a push, an inbound one, TLS in the LAN."""
    return build(TALKS)


def torch_text(
    span: str, devices: int, *, ground: str = "", kind: str = "http-poll", beside: Sequence[str] = ()
) -> str:
    besides = "".join(f'[[app.behaviour]]\nkind = "{one}"\n' for one in beside)
    reader = '[[app]]\npackage = "com.river.reader"\ncategory = "news-and-magazines"\n'
    return f"""question = "Is a torch that polls told from a reader?"
span = "{span}"
devices = {devices}
{ground}
[[app]]
package = "com.orchard.torch"
category = "tools"
[[app.behaviour]]
kind = "{kind}"
period = "5m"
label = "AN1793"
{reader + besides if beside else ""}"""


@pytest.fixture(scope="session")
def torch_file() -> Callable[..., str]:
    """``torch_file(span, devices)``: a scenario's TOML in which a torch polls; a reader does what is ``beside``."""
    return torch_text


@pytest.fixture(scope="session")
def backgrounds():
    """The module backgrounds.py beside this file: captures to inject into."""
    spec = spec_from_file_location("backgrounds", Path(__file__).with_name("backgrounds.py"))
    module = module_from_spec(spec)
    sys.modules["backgrounds"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def smoke_recording(tmp_path_factory):
    """Scenario smoke-poll as stage wire plays it: two devices, two hours."""
    folder = tmp_path_factory.mktemp("recordings") / "smoke-poll-s3"
    return record("wire", load_scenario(find_scenario("smoke-poll")), 3, folder)
