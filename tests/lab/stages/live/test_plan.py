"""The plan folder: what servers and gateway are told, and that nobody is intercepted who should not be."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import ssl

import dnslib
import pytest

from lab.protocols.handshakes.certificates import Authority
from lab.stages.live.plan import interception, neighbours, services, strangers, write_plan, zone_rows

VALID = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2049, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def authority():
    return Authority("test CA", VALID)


def test_the_folder_is_complete_and_consistent(paced, authority, tmp_path) -> None:
    _, scripts, payload, courses = paced("live-socks5")
    (tmp_path / "payload.bin").write_bytes(payload)
    write_plan(tmp_path, scripts, courses, authority)
    lines = [json.loads(line) for line in (tmp_path / "scripts.jsonl").read_text().splitlines()]
    assert [line["n"] for line in lines] == [script.n for script in scripts]
    for line in lines:
        for _, size, offset, real_us, think_us, _ in line["turns"]:
            assert 0 <= offset <= len(payload) - size
            assert line["real_us"] <= real_us <= line["close_us"]
            assert think_us >= 0
    named = {(row["address"], row["port"]) for row in json.loads((tmp_path / "services.json").read_text())}
    assert named == {script.server for script in scripts if not script.inbound and script.protocol != "dns"}


def test_every_tls_server_has_a_certificate_that_clients_accept(paced, authority, tmp_path) -> None:
    _, scripts, payload, courses = paced("live-https")
    (tmp_path / "payload.bin").write_bytes(payload)
    write_plan(tmp_path, scripts, courses, authority)
    hosts = {script.name or script.server[0] for script in scripts if script.tls}
    assert hosts
    assert {path.stem for path in (tmp_path / "pki").iterdir()} == {*hosts, "origin-ca", "trusted"}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pki" / f"{min(hosts)}.pem")
    assert b"PRIVATE" not in (tmp_path / "pki" / "origin-ca.pem").read_bytes()


def test_the_zone_answers_every_look_up_with_the_scripts_own_bytes(script_of_scenario) -> None:
    _, scripts, payload = script_of_scenario("live-dns")
    rows = list(zone_rows(scripts, payload))
    asked = [script for script in scripts if script.protocol == "dns"]
    assert {row["n"] for row in rows} == {script.n for script in asked}
    assert {row["qtype"] for row in rows} >= {"A", "TXT"}
    for row in rows:
        answer = dnslib.DNSRecord.parse(base64.b64decode(row["answer"]))
        assert str(answer.q.qname).rstrip(".").lower() == row["qname"]
        assert row["think_us"] > 0


def test_interception_is_by_place_whoever_dials(script_of_scenario) -> None:
    for name in ("live-backconnect", "live-socks5", "live-connect"):
        _, scripts, _ = script_of_scenario(name)
        made = interception(scripts)
        tls = {s.server for s in scripts if s.tls and not s.inbound}
        assert {s.protocol for s in scripts if s.tls and not s.inbound} >= {"opaque", "http"}
        assert not set(made.exempt) & tls
        assert all(port not in {80, 443, 8080, 8443} for _, port in made.redirect)


def test_only_what_a_proxy_of_the_web_would_meet_is_intercepted(script_of_scenario) -> None:
    _, scripts, _ = script_of_scenario("live-socks5")
    relayed = next(s for s in scripts if s.via is not None)
    plain = dataclasses.replace(relayed, server=("198.18.0.9", 80), tls=False)
    beside = dataclasses.replace(relayed, server=("10.88.3.4", 443))
    elsewhere = dataclasses.replace(relayed, server=("198.18.0.9", 993))
    asking = dataclasses.replace(relayed, server=("198.18.0.9", 3000), tls=False, protocol="http")
    made = interception([relayed, plain, beside, elsewhere, asking])
    assert made.exempt == (beside.server, plain.server)
    assert made.redirect == (asking.server,)


def test_strangers_and_neighbours_are_told_apart(script_of_scenario) -> None:
    _, scripts, _ = script_of_scenario("live-socks5")
    assert set(strangers(scripts)) == {s.client for s in scripts if s.inbound}
    assert neighbours(scripts) == ()
    web = next(script for script in scripts if script.protocol == "http")
    beside = dataclasses.replace(web, server=("10.88.3.4", 8009))
    assert neighbours([*scripts, beside]) == ("10.88.3.4",)
    assert beside.server not in interception([beside]).redirect
    assert not any(row["protocol"] == "dns" for row in services(scripts))
