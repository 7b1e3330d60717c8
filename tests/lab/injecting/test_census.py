"""Who speaks with whom: the same whether packets come at once or in parts."""

from dataclasses import fields

import numpy as np
import pytest

from lab.injecting.census import Census, Talks
from lab.injecting.heads import heads
from lab.injecting.parts import parts


def counted(path, size=1 << 24):
    census = Census()
    for part in parts(path, size=size):
        census.add(heads(part, census.book), part.records.time)
    return census


@pytest.fixture
def home(backgrounds, tmp_path):
    return backgrounds.background(30).save(tmp_path / "home.pcap")


def test_parts_count_as_the_whole(home):
    whole, parted = counted(home), counted(home, 900)
    for one in fields(Talks):
        assert (getattr(whole.talks(), one.name) == getattr(parted.talks(), one.name)).all()
    assert (whole.first, whole.last, whole.packets) == (parted.first, parted.last, parted.packets)


def test_every_five_tuple_is_one_row_with_its_client(home, backgrounds):
    census = counted(home)
    talks = census.talks()
    assert len(talks.low) == 60  # a look-up and a connection each
    client, server = talks.ends()
    assert set(census.texts(np.zeros(60, bool), client >> 16)) == {backgrounds.PHONE}
    assert set((server & 0xFFFF).tolist()) == {53, 443}
    assert (talks.packets_low + talks.packets_high).sum() == census.packets


def test_questions_about_hosts(home, backgrounds):
    census = counted(home)
    assert [address for address, _ in census.clients()] == [backgrounds.PHONE]
    assert census.resolver(backgrounds.PHONE) == backgrounds.ROUTER
    assert {backgrounds.PHONE, backgrounds.ROUTER} <= census.addresses()
    assert census.ports(backgrounds.PHONE) == set(range(33_000, 33_030))
    assert census.ports("192.168.7.99") == set()
    assert census.number("2001:db8::1") == (True, -1)


def test_private_hosts_come_before_busier_public_ones(backgrounds, tmp_path):
    busy = backgrounds.background(30, host="9.9.9.9").packets
    quiet = backgrounds.background(3).packets
    path = backgrounds.Background(sorted(busy + quiet)).save(tmp_path / "two.pcap")
    assert [address for address, _ in counted(path).clients()] == [backgrounds.PHONE, "9.9.9.9"]


def test_nobody_in_an_empty_census():
    census = Census()
    assert census.addresses() == set()
    assert census.clients() == []
    assert census.resolver("10.0.0.1") is None
