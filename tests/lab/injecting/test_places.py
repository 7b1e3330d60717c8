"""New addresses and ports: free ones, but for the one that was asked for and the resolver's."""

import pytest

from lab.errors import EvidenceError
from lab.injecting.census import Census
from lab.injecting.heads import heads
from lab.injecting.parts import parts
from lab.injecting.places import Places, moved_ports, placed


@pytest.fixture
def census(backgrounds, tmp_path):
    found = Census()
    for part in parts(backgrounds.background(30).save(tmp_path / "home.pcap")):
        found.add(heads(part, found.book), part.records.time)
    return found


def test_devices_and_neighbours_move_in_beside_the_model(census, backgrounds):
    devices = {"10.88.3.4": "phone-01", "10.88.9.1": "phone-01", "10.88.3.5": "phone-02"}
    others = ["10.88.0.1", "10.88.44.7", "198.18.0.9", "239.255.255.250"]
    found = placed(devices, others, census, {}, backgrounds.PHONE)
    new = [found.address(one) for one in (*devices, "10.88.44.7")]
    assert len({*new}) == 4
    assert all(one.startswith("192.168.7.") for one in new)
    assert not {*new} & census.addresses()
    assert found.address("10.88.0.1") == backgrounds.ROUTER
    assert found.address("198.18.0.9") == "198.18.0.9"
    assert found.address("239.255.255.250") == "239.255.255.250"
    assert found.address(None) is None
    assert found.shared == frozenset()


def test_an_asked_address_may_be_a_hosts_own(census, backgrounds):
    devices = {"10.88.3.4": "phone-01"}
    found = placed(devices, [], census, {"phone-01": backgrounds.PHONE}, backgrounds.PHONE)
    assert found.addresses == {"10.88.3.4": backgrounds.PHONE}
    assert found.shared == {backgrounds.PHONE}
    free = placed(devices, [], census, {"phone-01": "192.168.7.200"}, backgrounds.PHONE)
    assert (free.addresses, free.shared) == ({"10.88.3.4": "192.168.7.200"}, frozenset())


def test_a_host_that_the_capture_has_moves_within_the_labs_internet(backgrounds, tmp_path):
    home = backgrounds.background(2)
    both = ((backgrounds.PHONE, "198.18.0.9"), ("198.18.0.9", backgrounds.PHONE))
    data = [backgrounds.datagram(ends, 17, bytes.fromhex("9c40005000080000"), 64, 1) for ends in both]
    home.packets += [(home.packets[-1][0] + k, not k, one) for k, one in enumerate(data)]
    census = Census()
    for part in parts(home.save(tmp_path / "x.pcap")):
        census.add(heads(part, census.book), part.records.time)
    found = placed({"10.88.3.4": "phone-01"}, ["198.18.0.9", "198.18.0.10"], census, {}, backgrounds.PHONE)
    assert found.hosts.keys() == {"198.18.0.9"}
    assert found.hosts["198.18.0.9"].startswith("198.1")
    assert found.hosts["198.18.0.9"] not in census.addresses()
    assert found.address("198.18.0.10") == "198.18.0.10"


def test_ports_that_the_capture_uses_are_exchanged_one_for_one(census, backgrounds):
    places = placed({"10.88.3.4": "p"}, [], census, {"p": backgrounds.PHONE}, backgrounds.PHONE)
    found = moved_ports(places, {"10.88.3.4": {33_000, 33_029, 45_000}}, census)
    assert found.keys() == {("10.88.3.4", 33_000), ("10.88.3.4", 33_029)}
    assert len({*found.values()}) == 2
    assert not {*found.values()} & (census.ports(backgrounds.PHONE) | {45_000})
    moved = Places(backgrounds.PHONE, places.addresses, found)
    assert moved.port("10.88.3.4", 45_000) == 45_000
    assert moved.port("10.88.3.4", None) is None
    alone = placed({"10.88.3.4": "p"}, [], census, {}, backgrounds.PHONE)
    assert moved_ports(alone, {"10.88.3.4": {33_000}}, census) == {}


def test_too_few_ports_are_an_error(census, backgrounds):
    places = placed({"10.88.3.4": "p"}, [], census, {"p": backgrounds.PHONE}, backgrounds.PHONE)
    with pytest.raises(EvidenceError, match="no ephemeral port free"):
        moved_ports(places, {"10.88.3.4": set(range(32_768, 61_000))}, census)
