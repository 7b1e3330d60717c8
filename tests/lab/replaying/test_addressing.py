import pytest

from lab.errors import ScenarioError
from lab.replaying.addressing import macs_of, mapped

DEVICES = {"phone-01": ["10.88.3.4", "2001:db8::4"], "phone-02": ["10.88.3.5", "10.88.3.6"]}
ALL = ["10.88.3.4", "10.88.3.5", "10.88.3.6", "198.18.0.9", "2001:db8::4", "224.0.0.251", "255.255.255.255"]


def test_unmapped_lab_addresses_stay_as_they_are():
    assert mapped(ALL, (), DEVICES).changed == {}


@pytest.mark.parametrize(
    ("wish", "changed"),
    [
        ("phone-01=10.50.0.7", {"10.88.3.4": "10.50.0.7"}),
        ("phone-01=2001:db8:9::1", {"2001:db8::4": "2001:db8:9::1"}),
        ("10.88.3.5=10.50.0.8,10.88.3.6=10.50.0.9", {"10.88.3.5": "10.50.0.8", "10.88.3.6": "10.50.0.9"}),
        ("198.18.0.0/15=10.60.0.0/15", {"198.18.0.9": "10.60.0.9"}),
        (
            "10.88.3.0/24=10.1.1.0/24,10.88.3.4=10.9.9.9",
            {"10.88.3.4": "10.9.9.9", "10.88.3.5": "10.1.1.5", "10.88.3.6": "10.1.1.6"},
        ),
    ],
)
def test_devices_addresses_and_nets_are_mapped_the_narrowest_first(wish, changed):
    assert mapped(ALL, [wish], DEVICES).changed == changed


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ("phone-09=10.0.0.1", "expected devices phone-01, phone-02"),
        ("phone-02=10.0.0.1", "2 IPv4 addresses: name one (10.88.3.5, 10.88.3.6)"),
        ("10.88.3.4", "expected WHO=ADDRESS"),
        ("10.88.3.4=nowhere", "nowhere"),
        ("10.88.3.4=2001:db8::1", "one version"),
        ("10.88.3.0/24=10.0.0.0/16", "one size"),
        ("10.88.3.4=224.0.0.1", "address of a host"),
        ("10.99.0.1=10.0.0.1", "is not in the capture"),
        ("10.88.3.4=10.88.3.5", "would both be 10.88.3.5"),
    ],
)
def test_a_wish_that_cannot_be_says_why(wish, word):
    with pytest.raises(ScenarioError, match="--map") as fault:
        mapped(ALL, [wish], DEVICES)
    assert word in str(fault.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(ScenarioError) as fault:
        mapped([*ALL, "8.8.8.8"], ["phone-09=10.0.0.1", "10.88.3.4=224.0.0.1"], DEVICES)
    assert len(fault.value.faults) == 3


@pytest.mark.parametrize("stranger", ["8.8.8.8", "192.168.1.1", "127.0.0.1", "2606:4700::1", "10.0.0.1"])
def test_an_address_outside_the_lab_is_refused_until_it_is_mapped(stranger):
    with pytest.raises(ScenarioError, match=f"found {stranger}, expected addresses of the lab"):
        mapped([*ALL, stranger], (), DEVICES)
    new = "2001:db8:5::1" if ":" in stranger else "198.18.200.1"
    assert mapped([*ALL, stranger], [f"{stranger}={new}"], DEVICES).changed == {stranger: new}


def test_many_strangers_are_counted_and_a_few_named():
    with pytest.raises(ScenarioError, match="and 5 more"):
        mapped([f"8.8.8.{n}" for n in range(10)], (), {})


def test_macs_are_those_of_devices_gateways_or_themselves():
    known = {"phone-01": ["02:00:00:00:00:0a"], "gateway": ["02:00:00:00:00:01", "02:00:00:00:00:02"]}
    table = macs_of(
        ["phone-01=02:99:00:00:00:01,gateway=02:99:00:00:00:02", "02:00:00:00:00:0B=02:99:00:00:00:03"], known
    )
    assert table == {
        "02:00:00:00:00:0a": "02:99:00:00:00:01",
        "02:00:00:00:00:01": "02:99:00:00:00:02",
        "02:00:00:00:00:02": "02:99:00:00:00:02",
        "02:00:00:00:00:0b": "02:99:00:00:00:03",
    }


@pytest.mark.parametrize("wish", ["phone-01", "phone-09=02:00:00:00:00:01", "gateway=33:33:00:00:00:01", "gateway=x"])
def test_a_mac_that_cannot_be_is_refused(wish):
    with pytest.raises(ScenarioError, match="--mac"):
        macs_of([wish], {"gateway": ["02:00:00:00:00:01"]})


def test_an_address_that_only_a_message_names_goes_the_way_of_its_net():
    found = mapped(ALL, ["198.18.0.0/15=10.60.0.0/15"], DEVICES)
    assert found.said(bytes([198, 18, 7, 7])) == bytes([10, 60, 7, 7])
    assert found.said(bytes([10, 88, 9, 9])) == bytes([10, 88, 9, 9])
