"""Who has IPv6, and under which address."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from lab.errors import StageError
from lab.network import Network
from lab.stages.link import refuse_escape
from lab.stages.wire import play
from lab.timeline import Attachment, Device
from lab.world.dual_stack import PHONES, dual_stacked, has_six, six_in, six_of_host, six_of_phone, translated

LAB = ip_network("2001:db8::/32")
HOSTS = [f"198.{18 + n % 2}.{n // 200}.{n % 200}" for n in range(4_000)]
PHONE_ADDRESSES = [f"10.88.{n // 200}.{n % 200}" for n in range(2_000)]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_as_many_hosts_have_it_as_asked_for(share):
    assert sum(has_six(host, share) for host in HOSTS) / len(HOSTS) == pytest.approx(share, abs=0.03)


def test_nobody_shares_an_address_and_phones_have_their_own_prefix():
    hosts = {six_of_host(host) for host in HOSTS}
    phones = {six_of_phone(address, network) for address in PHONE_ADDRESSES for network in ("home", "mobile")}
    assert (len(hosts), len(phones)) == (4_000, 4_000)
    assert all(ip_address(address) in LAB for address in hosts | phones)
    assert all(address.startswith(PHONES) for address in phones)
    assert not any(address.startswith(PHONES) for address in hosts)


def test_phones_at_home_share_a_subnet_and_each_has_its_own_on_the_mobile_network():
    def subnets(network: str) -> int:
        return len({int(ip_address(six_of_phone(address, network))) >> 64 for address in PHONE_ADDRESSES})

    assert subnets("home") == 1
    assert subnets("mobile") == 2_000


def test_hosts_with_a_name_move_and_others_stay(tiny):
    at = (Attachment(0, "home", "10.88.3.4", 0), Attachment(9, "mobile", "10.88.7.7", 0))
    phone = replace(tiny.devices[0], attachments=at)
    made = dual_stacked(replace(tiny, network=Network(ipv6=1.0), devices=(phone, tiny.devices[1])))
    assert [":" in host.address for host in made.hosts] == [True, False, False, True]
    assert [host.name for host in made.hosts] == [host.name for host in tiny.hosts]
    six = [six_of_phone("10.88.3.4"), six_of_phone("10.88.7.7", "mobile")]
    assert made.devices[0].addresses == ("10.88.3.4", "10.88.7.7", *six)


def test_a_network_of_ipv6_alone_translates_the_rest(tiny):
    made = dual_stacked(replace(tiny, network=Network(ipv6=0.5, clat=True)))
    assert {":" in host.address for host in made.hosts if host.address != "10.88.9.9"} == {True}
    literal = made.hosts[1]
    assert (literal.name, literal.address) == ("198.19.200.1", translated("198.19.200.1"))
    assert ip_address(translated("198.19.200.1")).packed[-4:] == ip_address("198.19.200.1").packed
    assert six_in("198.18.0.9", Network(clat=True)) == translated("198.18.0.9")
    assert six_in("198.18.0.9", Network()) == ""


def test_a_literal_behind_a_translator_is_no_escape_and_is_played(tiny, tmp_path):
    made = dual_stacked(replace(tiny, network=Network(clat=True)))
    refuse_escape(made)
    (literal,) = [host for host in made.hosts if host.name == "198.19.200.1"]
    spoken = made.conversations.host == made.hosts.index(literal)
    assert spoken.any(), "nobody speaks to it, so this test says nothing"
    capture = play(made, tmp_path / "rec") / "telemetry/capture.pcap"
    assert ip_address(translated("198.19.200.1")).packed in capture.read_bytes()
    outside = replace(literal, name="8.8.8.8")
    with pytest.raises(StageError, match="expected a name under"):
        refuse_escape(replace(made, hosts=(*made.hosts[:1], outside, *made.hosts[2:])))


def test_a_phone_without_it_has_the_addresses_it_had():
    phone = Device("a", "10.88.1.2", "", "", 1, tunnel="10.88.1.9")
    assert phone.addresses == ("10.88.1.2", "10.88.1.9")
