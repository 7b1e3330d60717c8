"""After a change of the network nothing passes; on a network that lingers the device resets what it had open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.stages.dialogues import formats_of, slices
from lab.stages.labels import Carried
from lab.stages.link import FOREVER, links_of
from lab.stages.segments import ACK, FIN, SYN, packets_of
from lab.stages.sensors import sockets_table
from lab.stages.severed import RST, answered, severed
from lab.timeline import Attachment

START = 1_772_409_600_000_000


def moving(timeline, at, first="home"):
    """The timeline, its first phone on another network from ``at`` after the start."""
    phone = timeline.devices[0]
    stays = Attachment(START, first, phone.address, 0)
    goes = Attachment(START + at, "work", "10.88.77.7", 0)
    return replace(timeline, devices=(replace(phone, attachments=(stays, goes)), *timeline.devices[1:]))


def played(timeline):
    formats = formats_of(timeline)
    links = links_of(timeline, [found.TRANSPORT for found in formats])
    (spoken,) = slices(timeline, links, formats)
    whole = packets_of(spoken.ends, spoken.messages)
    return links, spoken, whole, severed(whole, links.until, links.lingers)


def test_without_a_change_nothing_is_touched(tiny):
    links, spoken, whole, left = played(tiny)
    assert left is whole
    assert answered(spoken.requests, links) == spoken.requests


@pytest.mark.parametrize("at", [80_000, 150_000, 460_000])
@pytest.mark.parametrize("first", ["home", "mobile"])
def test_a_change_cuts_both_directions(tiny, at, first):
    links, spoken, whole, left = played(moving(tiny, at, first))
    mine = np.array([app.device for app in tiny.apps])[tiny.conversations.app] == 0
    assert set(links.until[~mine].tolist()) == {FOREVER}
    late = mine[whole.conversation] & (whole.time >= links.until[whole.conversation])
    assert late.any()
    resets = left.flags & RST > 0
    assert len(left.time) == (~late).sum() + resets.sum()
    assert np.all(left.time[~resets] < links.until[left.conversation[~resets]])
    assert resets.any() == (first == "mobile" and at > 80_000), "who has not been answered yet resets nothing"
    assert np.array_equal(np.sort(left.conversation), left.conversation)
    assert all(one.end < links.until[one.conversation] for one in answered(spoken.requests, links))


def test_a_reset_goes_on_where_the_device_was(tiny):
    links, _, whole, left = played(moving(tiny, 150_000, "mobile"))
    for row in np.flatnonzero(left.flags & RST).tolist():
        assert left.local[row]
        assert left.time[row] == links.until[left.conversation[row]]
        assert left.flags[row] == RST | ACK
        after = np.flatnonzero(
            whole.local & (whole.conversation == left.conversation[row]) & (whole.time < left.time[row])
        )
        last = after[-1]
        assert not whole.flags[last] & FIN
        assert left.seq[row] == (whole.seq[last] + max(whole.length[last], whole.flags[last] & SYN > 0)) & 0xFFFFFFFF
        assert left.ack[row] == whole.ack[last]


def test_the_phone_speaks_from_the_address_of_the_time(tiny):
    links, *_ = played(moving(tiny, 80_000))
    said = tiny.conversations
    mine = np.array([app.device for app in tiny.apps])[said.app] == 0
    for row in np.flatnonzero(mine).tolist():
        address = ".".join(map(str, links.local[row, 6:].tolist()))
        assert address == ("10.88.3.4" if said.start[row] < START + 80_000 else "10.88.77.7")


def test_a_destroyed_socket_closes_at_the_change(tiny):
    at = 80_000
    moved = moving(tiny, at)
    closes = np.where(moved.conversations.start < START + at, START + at, moved.conversations.close)
    moved = replace(moved, conversations=replace(moved.conversations, close=closes))
    links, spoken, _, left = played(moved)
    rows = sockets_table(moved, links, Carried.of(spoken.ends, left)).to_pylist()
    ports = {
        port
        for port, start in zip(links.local_port.tolist(), moved.conversations.start, strict=True)
        if start < START + at
    }
    ends = [
        row["time"]
        for row in rows
        if row["event"] == "close" and row["local_port"] in ports and row["device"] == "phone-01"
    ]
    assert set(ends) == {START + at}
    assert {row["local_address"] for row in rows if row["device"] == "phone-01"} >= {"10.88.3.4", "10.88.77.7"}
