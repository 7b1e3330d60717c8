"""Names and addresses: what the public suffix list and the address RFCs say."""

from __future__ import annotations

import pytest

from detector.destinations import is_address, is_group, is_local, is_loopback, label_of, registrable


@pytest.mark.parametrize(
    ("name", "domain"),
    [("WWW.Site.example.", "site.example"), ("a.b.co.uk", "b.co.uk"), ("co.uk", "co.uk"), ("198.18.0.1", "198.18.0.1")],
)
def test_registrable(name, domain):
    assert registrable(name) == domain


def test_label():
    assert label_of("a.b.site.co.uk") == "site"
    assert label_of("2001:db8::1") == ""


@pytest.mark.parametrize("text", ["198.18.0.1", "2001:db8::1", "254.228.86.79"])
def test_test_networks_are_no_local_ones(text):
    assert is_address(text)
    assert not is_local(text)
    assert not is_group(text)


@pytest.mark.parametrize("text", ["10.1.2.3", "172.31.0.1", "192.168.9.9", "fd00::1", "fe80::1", "100.64.0.1"])
def test_local(text):
    assert is_local(text)


@pytest.mark.parametrize("text", ["255.255.255.255", "10.0.0.255", "239.1.1.1", "ff02::1", "0.0.0.0"])
def test_group(text):
    assert is_group(text)


def test_names_are_no_addresses():
    assert not any(check("site.example") for check in (is_address, is_group, is_local, is_loopback))
    assert is_loopback("::1")
