"""The leaf is that of the name asked for, of the address where no name is, and nobody else's."""

from __future__ import annotations

import ssl

import pytest

from lab.stages.live.servers.image.contexts import Contexts


@pytest.fixture
def pki(plans, tmp_path):
    talks = [
        plans.Talk(0, "opaque", ("198.18.0.1", 443), ((0, 1, 1, 0),), tls=True, name="a.example"),
        plans.Talk(1, "opaque", ("198.18.0.1", 443), ((0, 1, 1, 0),), tls=True, name="b.example"),
        plans.Talk(2, "opaque", ("198.18.0.2", 443), ((0, 1, 1, 0),), tls=True),
    ]
    return plans.write_folder(tmp_path / "x", talks) / "pki"


def shaken(pki, address, name, alpn=()):
    """A handshake in memory: (subject alternative names, ALPN)."""
    client_context = ssl.create_default_context(cafile=str(pki / "origin-ca.pem"))
    client_context.check_hostname = name is not None
    if alpn:
        client_context.set_alpn_protocols(["http/1.1"])
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(back, there, server_hostname=name)
    server = Contexts(pki).at(address, alpn).wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return [value for _, value in client.getpeercert()["subjectAltName"]], client.selected_alpn_protocol()


@pytest.mark.parametrize("name", ["a.example", "b.example"])
def test_by_name(pki, name):
    assert shaken(pki, "198.18.0.1", name) == ([name], None)


def test_alpn_of_the_service_holds_for_every_name(pki):
    assert shaken(pki, "198.18.0.1", "b.example", ("h2", "http/1.1"))[1] == "http/1.1"


def test_by_address_without_a_name(pki):
    assert shaken(pki, "198.18.0.2", None)[0] == ["198.18.0.2"]


@pytest.mark.parametrize(
    ("address", "name"), [("198.18.0.2", "c.example"), ("198.18.0.1", None), ("198.18.0.1", "..a")]
)
def test_nobody_elses(pki, address, name):
    with pytest.raises((ssl.SSLError, ValueError)):
        shaken(pki, address, name)
