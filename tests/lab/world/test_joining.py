"""Blocks of phones as one timeline: nothing is lost, nobody is mixed up, and one block is a timeline itself."""

import numpy as np
import pytest

from lab.scenario import parse_scenario
from lab.world import compiler
from lab.world.compiler import compile_blocks, compile_timeline
from lab.world.joining import joined


@pytest.fixture
def fleet(torch_file):
    def made(state=""):
        text = torch_file("2h", 7, ground=f"[state]\n{state}\n[background]\napps = 6")
        return parse_scenario(text.encode(), name="fleet", place="fleet.toml")

    return made


@pytest.fixture(params=["", "vpn = true", 'networks = "roaming"\nprivate_dns = true'])
def blocks(request, fleet, monkeypatch):
    monkeypatch.setattr(compiler, "BLOCK", 3)
    return list(compile_blocks(fleet(request.param), 5))


def spoken(timeline, *, ports_and_look_ups=True):
    """Every conversation and what is said in it, in words, by device."""
    said, x, offsets = timeline.conversations, timeline.exchanges, timeline.exchange_slices().tolist()
    found = {device.name: [] for device in timeline.devices}
    carrier = said.carrier.tolist()
    for row, seed in enumerate(said.seed.tolist()):
        app, host = timeline.apps[said.app[row]], timeline.hosts[said.host[row]]
        of = slice(offsets[row], offsets[row + 1])
        if not ports_and_look_ups and app.package == "netd":
            continue
        incident = timeline.incidents[said.incident[row]].incident if said.incident[row] >= 0 else ""
        words = tuple(tuple(getattr(x, name)[of].tolist()) for name in ("time", "up", "down", "delay"))
        around = int(said.seed[carrier[row]]) if carrier[row] >= 0 else None
        about = [int(said.start[row]), seed, int(said.close[row]), around, app.package, incident, words, str(host)]
        about += [str(timeline.speeches[said.speech[row]])]
        about += [int(said.client_port[row])] if ports_and_look_ups else []
        found[timeline.devices[app.device].name].append(about)
    return {device: sorted(rows, key=lambda row: row[:2]) for device, rows in found.items()}


def test_every_phone_says_what_its_block_says(blocks):
    whole = joined(blocks)
    assert len(whole.devices) == 7
    assert spoken(whole) == {device: rows for block in blocks for device, rows in spoken(block).items()}
    assert (np.diff(whole.conversations.start) >= 0).all()
    assert (np.diff(whole.exchanges.conversation) >= 0).all()
    assert len({*whole.hosts}) == len(whole.hosts)


def test_states_follow_their_phones(blocks):
    whole = joined(blocks)
    names = [device.name for device in whole.devices]
    assert [names[device] for device in np.unique(whole.states.device)] == names
    assert (np.diff(whole.states.device) >= 0).all()
    front = [
        (block.apps[row].package, block.devices[block.apps[row].device].name)
        for block in blocks
        for row in block.states.foreground.tolist()
        if row >= 0
    ]
    rows = [row for row in whole.states.foreground.tolist() if row >= 0]
    assert front == [(whole.apps[row].package, names[whole.apps[row].device]) for row in rows]


def test_compiling_all_at_once_is_compiling_blocks(fleet, monkeypatch):
    monkeypatch.setattr(compiler, "BLOCK", 3)
    whole, again = compile_timeline(fleet(), 5), joined(list(compile_blocks(fleet(), 5)))
    for part in ("conversations", "exchanges", "states"):
        for name, column in vars(getattr(whole, part)).items():
            np.testing.assert_array_equal(column, getattr(getattr(again, part), name))
    assert (whole.hosts, whole.apps, whole.devices) == (again.hosts, again.apps, again.devices)


def test_what_apps_say_does_not_depend_on_the_size_of_blocks(fleet, monkeypatch):
    """Look-ups do: their delays are drawn for a block together, in the order of time, and move ports."""
    made = []
    for size in (3, 7):
        monkeypatch.setattr(compiler, "BLOCK", size)
        made.append(spoken(compile_timeline(fleet(), 5), ports_and_look_ups=False))
    assert made[0] == made[1]
    assert sum(map(len, made[0].values())) > 200


def test_a_single_block_is_the_timeline(fleet, monkeypatch):
    monkeypatch.setattr(compiler, "BLOCK", 7)
    (block,) = compile_blocks(fleet(), 5)
    assert joined([block]) is block
