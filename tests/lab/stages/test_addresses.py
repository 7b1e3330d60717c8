"""Addresses of both kinds in four octets."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np

from lab.stages.addresses import address_codes, book_of, octets, sixteen, text_of

SIX = ("2001:db8:a58::1", "2001:db8:1234::c612:7f13")


def rows(*addresses: str):
    book = {address: place for place, address in enumerate(SIX)}
    return np.array([[9] * 6 + octets(address, book) for address in addresses], dtype=np.uint8)


def test_addresses_are_written_once():
    code, texts = address_codes(rows("10.88.0.1", "198.18.255.0", "10.88.0.1"))
    assert [texts[one] for one in code] == ["10.88.0.1", "198.18.255.0", "10.88.0.1"]
    assert len(texts) == 2


def test_both_kinds_stand_side_by_side():
    given = ["10.88.0.1", *SIX, "198.19.0.7", SIX[0]]
    code, texts = address_codes(rows(*given), SIX)
    assert [texts[one] for one in code] == given
    assert [text_of(row, SIX) for row in rows(*given)] == given


def test_places_become_sixteen_octets():
    found = sixteen(rows(*SIX)[:, 6:], SIX)
    assert [found[k].tobytes() for k in range(2)] == [ip_address(address).packed for address in SIX]


def test_a_book_holds_the_ipv6_addresses_of_phones_and_hosts(tiny):
    assert book_of(tiny) == {}
    hosts = (replace(tiny.hosts[0], address=SIX[1]), *tiny.hosts[1:])
    devices = (replace(tiny.devices[0], six=SIX[0]), tiny.devices[1])
    assert book_of(replace(tiny, hosts=hosts, devices=devices)) == {SIX[0]: 0, SIX[1]: 1}
