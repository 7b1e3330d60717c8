"""The truth read off a timeline, and back from a recording."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.errors import EvidenceError
from lab.recording import open_recording, write_parquet
from lab.stages.wire import play
from lab.timeline import NAME_LOOKUP, Attachment, Host
from lab.truth import DAY, Background, Truth, truth_of, write_truth
from lab.world.cast import RESOLVER


def test_an_incident_is_what_its_conversations_say(tiny):
    truth = truth_of(tiny)
    (incident,) = truth.incidents
    own = tiny.conversations.incident == 0
    assert (incident.start, incident.end) == (tiny.conversations.start[own].min(), tiny.conversations.close[own].max())
    assert incident.peers == ("198.18.7.9", "api.garden.example")
    assert (incident.device, incident.package, incident.uid) == ("phone-01", "com.example.torchlight", 10123)
    assert truth.devices == {"phone-01": "10.88.3.4", "phone-02": "10.88.3.5"}
    assert truth.packages["phone-02", "com.example.weather"] == (10124, "weather")


def test_peers_without_a_name_are_addresses(tiny):
    said = dataclasses.replace(
        tiny.conversations, incident=np.where(tiny.conversations.host == 1, 0, -1).astype(np.int32)
    )
    (incident,) = truth_of(dataclasses.replace(tiny, conversations=said)).incidents
    assert incident.peers == ("198.19.200.1",)


def test_names_shown_in_place_of_the_host_s_own_are_peers(tiny):
    shown = {"sni": "cover.example", "host": "behind.example"}
    speeches = tuple(dataclasses.replace(speech, options={**speech.options, **shown}) for speech in tiny.speeches)
    (incident,) = truth_of(dataclasses.replace(tiny, speeches=speeches)).incidents
    assert {"cover.example", "behind.example", "198.18.7.9"} < set(incident.peers)
    hidden = tuple(dataclasses.replace(speech, options={"sni": "none"}) for speech in tiny.speeches)
    (incident,) = truth_of(dataclasses.replace(tiny, speeches=hidden)).incidents
    assert incident.peers == ("198.18.7.9", "api.garden.example")


def test_looking_a_name_up_is_no_contact_and_the_resolver_no_peer(tiny):
    behaviours = (*tiny.behaviours, NAME_LOOKUP)
    mine = tiny.conversations.incident == 0
    looked = np.where(mine, len(behaviours) - 1, tiny.conversations.behaviour).astype(np.int32)
    said = dataclasses.replace(tiny.conversations, behaviour=looked)
    (incident,) = truth_of(dataclasses.replace(tiny, behaviours=behaviours, conversations=said)).incidents
    assert incident.peers == ()


def test_a_name_asked_for_in_vain_is_a_peer_and_no_contact(tiny):
    """The answer NXDOMAIN is all there is to see of it; the resolver that gave it is still nobody's peer."""
    behaviours = (*tiny.behaviours, NAME_LOOKUP)
    netd = tiny.conversations.app == 0
    said = dataclasses.replace(
        tiny.conversations,
        behaviour=np.where(netd, len(behaviours) - 1, tiny.conversations.behaviour).astype(np.int32),
        incident=np.where(netd, 0, tiny.conversations.incident).astype(np.int32),
        host=np.where(netd, len(tiny.hosts), tiny.conversations.host).astype(np.int32),
    )
    hosts = (*tiny.hosts, Host("goblfvxdbgpolus.example", RESOLVER, 1_000))
    asked = dataclasses.replace(tiny, behaviours=behaviours, hosts=hosts, conversations=said)
    plain = truth_of(asked)
    assert plain.incidents[0].peers == ("198.18.7.9", "api.garden.example"), "a look-up that is answered adds nobody"
    vain = [dataclasses.replace(speech, options={"missing": "1"}) for speech in tiny.speeches[:1]]
    found = truth_of(dataclasses.replace(asked, speeches=(*vain, *tiny.speeches[1:])))
    assert found.incidents[0].peers == ("198.18.7.9", "api.garden.example", "goblfvxdbgpolus.example")
    assert found.contacts == plain.contacts == truth_of(tiny).contacts


@pytest.mark.parametrize("protocol", ["dns", "dns_tcp", "http", "opaque"])
def test_the_resolver_is_no_peer_whatever_it_is_spoken_to_in_and_others_are(tiny, protocol):
    speeches = tuple(dataclasses.replace(speech, protocol=protocol) for speech in tiny.speeches)
    spoken = dataclasses.replace(tiny, speeches=speeches)
    (incident,) = truth_of(spoken).incidents
    assert incident.peers == ("198.18.7.9", "api.garden.example")
    for name, peers in (("api.garden.example", ("api.garden.example",)), ("", ())):
        asked = dataclasses.replace(tiny.hosts[0], name=name, address=RESOLVER)
        (incident,) = truth_of(dataclasses.replace(spoken, hosts=(asked, *tiny.hosts[1:]))).incidents
        assert incident.peers == peers


def test_device_days_count_devices_and_span():
    truth = Truth((), {"a": "10.88.0.2", "b": "10.88.0.3"}, {}, 0, DAY // 2, "s", 1)
    assert truth.device_days == 1.0


def test_truth_survives_the_disk(tiny, tmp_path):
    twin = dataclasses.replace(tiny, twin_of="https-poll-5m")
    read = open_recording(play(twin, tmp_path / "rec")).truth()
    assert read == truth_of(twin)
    assert read.twin_of == "https-poll-5m"
    assert read.vouched == {
        ("phone-01", "netd"): ("sanctioned",),
        ("phone-02", "com.example.weather"): ("sanctioned", "role vpn"),
    }


@pytest.mark.parametrize("damage", ["lost", "cut", "other"])
def test_a_damaged_table_is_no_truth(tiny, tmp_path, damage):
    recording = open_recording(play(tiny, tmp_path / "rec"))
    path = recording.folder / "truth/incidents.parquet"
    if damage == "lost":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        write_parquet(path, pa.table({"incident": ["a"]}))
    with pytest.raises(EvidenceError, match=r"incidents\.parquet"):
        recording.truth()


def test_a_roaming_phone_is_known_by_every_address(tiny, tmp_path):
    phone = tiny.devices[0]
    away = (Attachment(tiny.start, "home", phone.address, 0), Attachment(tiny.start + 5, "work", "10.88.77.7", 0))
    moved = dataclasses.replace(
        tiny, devices=(dataclasses.replace(phone, attachments=away, tunnel="10.88.88.8"), *tiny.devices[1:])
    )
    truth = truth_of(moved)
    assert truth.devices == {"phone-01": "10.88.3.4", "phone-02": "10.88.3.5"}
    named = {
        text: truth.device_name(text) for text in ("phone-01", "10.88.3.4", "10.88.77.7", "10.88.88.8", "10.88.3.5")
    }
    assert set(named.values()) == {"phone-01", "phone-02"}
    assert named["10.88.3.5"] == "phone-02"
    assert truth.device_name("10.88.9.9") is None
    write_truth(truth, tmp_path)
    rows = pq.read_table(tmp_path / "devices.parquet").to_pylist()
    assert [row["address"] for row in rows] == ["10.88.3.4", "10.88.3.5", "10.88.77.7", "10.88.88.8"]


@pytest.mark.parametrize("shared", [{}, {"phone-01": frozenset({"cdn.example", "198.18.0.9"})}])
def test_what_is_not_known_of_a_merged_recording_is_kept(tiny, tmp_path, shared):
    recording = open_recording(play(tiny, tmp_path / "rec"))
    assert recording.truth().background is None
    merged = dataclasses.replace(truth_of(tiny), background=Background(shared))
    write_truth(merged, recording.folder / "truth")
    assert recording.truth() == merged
