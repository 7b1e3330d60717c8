"""The cast: stable draws by key, one pool for everybody, every address and name given once."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from publicsuffixlist import PublicSuffixList

from lab.errors import ScenarioError
from lab.seeds import generator
from lab.world.cast import LAN, RESOLVER, Cast, domain, hostname

LAB = ipaddress.ip_network("198.18.0.0/15"), ipaddress.ip_network("10.88.0.0/16")


def test_a_generator_depends_on_its_key_alone():
    assert generator(1, "a").integers(0, 2**60) == generator(1, "a").integers(0, 2**60)
    assert generator(1, "a").integers(0, 2**60) != generator("1a").integers(0, 2**60)
    # blake2b, not hash(): the same number in every process and on every machine
    assert int(generator(7, "x").integers(0, 1_000_000)) == 418_799


def test_names_have_a_registrable_domain():
    psl = PublicSuffixList()
    for number in range(50):
        zone = domain(number)
        assert zone.endswith((".example", ".test"))
        assert psl.privatesuffix(hostname(zone, generator(number))) == zone


def test_hosts_are_given_once():
    cast = Cast((1, "x"))
    rng = np.random.default_rng(1)
    for package in range(100):
        for place in range(3):
            cast.host("vendor", package, "http-poll", 0, place)
            cast.host("literal", package, "http-poll", 0, place)
            cast.host("lan", package, "casting", 0, place)
        cast.popular(rng, 60)
    cast.device_address(0)
    names = [host.name for host in cast.hosts if host.name]
    addresses = [host.address for host in cast.hosts]
    assert len(set(names)) == len(names) > 500
    assert len(set(addresses)) == len(addresses)
    assert all(any(ipaddress.ip_address(address) in net for net in LAB) for address in addresses)
    assert RESOLVER not in addresses


def test_the_same_key_is_the_same_host_and_popular_hosts_repeat():
    cast = Cast((1, "x"))
    assert cast.host("vendor", "com.a.b", 0) == cast.host("vendor", "com.a.b", 0)
    assert cast.host("vendor", "com.a.b", 0) != cast.host("vendor", "com.a.c", 0)
    one, two = (cast.popular(np.random.default_rng(seed), 40) for seed in (1, 2))
    assert len(set(one)) == 40
    assert len(set(one) & set(two)) > 5


def test_more_popular_hosts_than_the_pool_are_still_different():
    assert len(set(Cast((1, "x")).popular(np.random.default_rng(1), 700))) == 700


def test_the_resolver_is_asked_by_name():
    cast = Cast((1, "x"))
    row = cast.hosts[cast.zone("com.a.b")]
    assert row.address == RESOLVER
    assert row.name.endswith((".example", ".test"))
    assert cast.zone("com.a.b") == cast.asked(row.name)


def test_a_zone_that_runs_out_of_names_numbers_on():
    casts = [Cast((1, "x")) for _ in range(2)]
    for cast in casts:
        for place in range(1500):  # a zone has fewer names to draw than 1000
            cast.host("vendor", "com.a.b", "http-poll", 0, place)
    names = [host.name for host in casts[0].hosts]
    assert len(set(names)) == 1500
    zone = domain(1, "x", "vendor", "com.a.b")
    assert all(name == zone or name.endswith(f".{zone}") for name in names)
    assert names == [host.name for host in casts[1].hosts]


def test_the_last_address_is_found_and_then_there_is_none():
    cast = Cast((1, "x"))
    last = LAN + 4_242
    cast._taken |= set(range(LAN, LAN + (1 << 16))) - {last}
    assert cast.device_address(0) == str(ipaddress.ip_address(last))
    with pytest.raises(ScenarioError, match=r"scenario x: more hosts or devices than 10\.88\.0\.0/16 has addresses"):
        cast.device_address(1)


def test_the_long_tail_is_seldom_shared_and_the_popular_hosts_often():
    cast = Cast((1, "x"))
    phones = [np.random.default_rng(seed) for seed in range(20)]
    tails, popular = [cast.tail(rng, 40) for rng in phones], [cast.popular(rng, 40) for rng in phones]
    assert all(len(set(rows)) == 40 for rows in tails)
    assert len({row for rows in tails for row in rows}) > 0.85 * 800
    assert len({row for rows in popular for row in rows}) < 0.5 * 800
    assert len(set(cast.tail(np.random.default_rng(1), 3_000))) == 3_000


def test_a_tenant_has_its_own_host_in_a_vendors_zone():
    cast = Cast((1, "x"))
    vendor, first, again, other = (
        cast.hosts[cast.host("vendor", "com.a.b", 0)],
        cast.hosts[cast.tenant("com.a.b", 0)],
        cast.hosts[cast.tenant("com.a.b", 0)],
        cast.hosts[cast.tenant("com.a.c", 0)],
    )
    psl = PublicSuffixList()
    assert first is again
    assert psl.privatesuffix(first.name) == psl.privatesuffix(vendor.name) != psl.privatesuffix(other.name)
    company = [host.name.removesuffix("." + psl.privatesuffix(host.name)).split(".")[-1] for host in (first, other)]
    assert company[0] == company[1]


def test_no_two_zones_share_a_registrable_domain():
    """Twelve thousand of them: 100 phones with 40 apps at three zones each. Drawn without a look some would collide."""
    cast = Cast((1, "x"))
    zones = [cast._domain("fresh", number) for number in range(12_000)]
    assert len(set(zones)) == 12_000
    assert len({domain(1, "x", "fresh", number) for number in range(12_000)}) < 12_000


def test_a_group_has_one_row_and_no_name():
    cast = Cast((1, "x"))
    rows = [cast.group("ssdp"), cast.group("mdns"), cast.group("ssdp")]
    assert rows == [0, 1, 0]
    assert [(host.name, host.address) for host in cast.hosts] == [("", "239.255.255.250"), ("", "224.0.0.251")]
    with pytest.raises(ValueError, match="protocol 'http' has no multicast group; those that have: ssdp, mdns"):
        cast.group("http")
