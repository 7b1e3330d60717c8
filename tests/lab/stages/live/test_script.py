"""Scripts: the very messages of the wire stage, and who dials for whom."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest

from lab.errors import StageError
from lab.network import Network
from lab.protocols.connect import TRANSPORT
from lab.stages.live.script import proxied, scripts_of, write_scripts
from lab.timeline import Attachment


def test_every_conversation_has_a_script_with_its_owner_and_place(script_of_scenario) -> None:
    timeline, scripts, payload = script_of_scenario("live-http")
    said = timeline.conversations
    assert [script.n for script in scripts] == list(range(len(said.start)))
    assert sum(int(script.size.sum()) for script in scripts) == len(payload)
    for script in scripts:
        app = timeline.apps[int(said.app[script.n])]
        assert (script.uid, script.device) == (app.uid, app.device)
        assert script.server[1] == timeline.speeches[int(said.speech[script.n])].port
        assert (script.end >= script.begin).all()
        assert (np.diff(script.begin) >= 0).all() or script.transport == "udp"


def test_bytes_are_those_of_the_protocol(script_of_scenario) -> None:
    _, scripts, payload = script_of_scenario("live-http")
    web = next(script for script in scripts if script.protocol == "http")
    first, answer = (payload[at : at + size] for at, size in zip(web.offset[:2], web.size[:2], strict=True))
    assert first.startswith((b"GET ", b"POST "))
    assert answer.startswith(b"HTTP/1.1 ")
    assert web.from_client[:2].tolist() == [True, False]
    assert web.think[0] == 0
    assert web.think[1] > 0


def test_what_a_proxy_dials_is_found_and_used_once(script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-socks5")
    inbound = [script for script in scripts if script.inbound]
    relayed = [script for script in scripts if script.via is not None]
    assert inbound
    assert len(relayed) == len(inbound)
    assert len({script.via for script in relayed}) == len(relayed)
    for script in relayed:
        stranger = scripts[script.via]
        speech = timeline.speeches[int(timeline.conversations.speech[script.via])]
        assert speech.options["target"] == f"{script.name or script.server[0]}:{script.server[1]}"
        assert stranger.start <= script.start
        assert stranger.uid == script.uid
    assert TRANSPORT == "tcp"


def test_without_a_proxy_nobody_dials_for_anybody(script_of_scenario) -> None:
    assert proxied(script_of_scenario("live-backconnect")[0]) == {}


def test_a_peer_outside_the_lab_is_refused(script_of_scenario) -> None:
    timeline = script_of_scenario("live-http")[0]
    hosts = (dataclasses.replace(timeline.hosts[0], address="8.8.8.8"), *timeline.hosts[1:])
    with pytest.raises(StageError, match=r"8\.8\.8\.8"):
        scripts_of(dataclasses.replace(timeline, hosts=hosts), io.BytesIO())


@pytest.mark.parametrize(
    "phone", [{"tunnel": "10.88.7.7"}, {"attachments": (Attachment(0, "mobile", "10.88.7.7", 0),)}]
)
def test_a_phone_with_a_vpn_or_another_network_is_refused(tiny, phone) -> None:
    moved = dataclasses.replace(tiny, devices=(dataclasses.replace(tiny.devices[0], **phone), tiny.devices[1]))
    with pytest.raises(StageError, match="phone-01: the live stage plays neither networks other than home nor"):
        scripts_of(moved, io.BytesIO())


def test_conditions_of_a_network_are_refused(tiny) -> None:
    worse = dataclasses.replace(tiny, network=Network(loss=0.01, mtu=1400))
    with pytest.raises(StageError, match="the live stage cannot bring about loss, mtu"):
        scripts_of(worse, io.BytesIO())


def test_a_file_holds_what_the_stream_held(script_of_scenario, tmp_path) -> None:
    timeline, scripts, payload = script_of_scenario("live-dns")
    written = write_scripts(timeline, tmp_path / "payload.bin")
    assert (tmp_path / "payload.bin").read_bytes() == payload
    assert [script.n for script in written] == [script.n for script in scripts]
