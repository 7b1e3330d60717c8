"""Conversations in words: names, ends and slices."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from lab.behaviours import Speech
from lab.protocols import Message
from lab.protocols.handshakes import PLAIN, Manner
from lab.protocols.handshakes.variant import VARIANTS
from lab.stages.dialogues import formats_of, manner_of, slices, upgrades, variants_of
from lab.stages.link import ALIGN, links_of
from lab.stages.wire import play


def spoken(timeline, tls=None):
    formats = formats_of(timeline)
    return list(slices(timeline, links_of(timeline, [found.TRANSPORT for found in formats]), formats, tls))


def texts(part) -> list[bytes]:
    m = part.messages
    return [part.payload[a : a + n].tobytes() for a, n in zip(m.offset, m.length, strict=True)]


def test_payload_is_padded_and_offsets_are_aligned(tiny):
    (part,) = spoken(tiny)
    assert len(part.payload) % ALIGN == 0
    assert (part.messages.offset % ALIGN == 0).all()
    assert part.messages.length.min() > 0


def test_the_server_of_an_inbound_conversation_is_the_device(tiny):
    (part,) = spoken(tiny)
    own = part.messages.conversation == 4
    assert part.messages.local[own].tolist() == [False, True]


@pytest.mark.parametrize(
    ("speech", "name"), [(Speech("http"), b"Host: api.garden.example\r\n"), (Speech("dns"), b"garden\7example")]
)
def test_names_are_those_of_the_host(timeline_of, talk, speech, name):
    (part,) = spoken(timeline_of([talk([(0, 0, 0, 0)], speech=speech)]))
    assert name in texts(part)[0]


def test_the_client_says_goodbye_under_recorded_tls_before_it_closes(timeline_of, talk):
    (part,) = spoken(timeline_of([talk([(0, 100, 100, 0)], linger=3_000_000, speech=Speech("http", tls=True))]))
    assert part.messages.local[-1]
    assert part.messages.length[-1] < 60
    assert part.ends.closed[0] > part.messages.start[-1] >= part.ends.start[0] + 3_000_000


def test_another_tls_is_told_names_stack_and_start(timeline_of, talk):
    heard, manners, variants = [], [], []

    def tls(messages, *, host, stack, alpn, rng, start, manner, variant):
        heard.append((host, stack, alpn, start))
        manners.append(manner)
        variants.append(variant)
        yield from messages

    timeline = timeline_of(
        [
            talk([(0, 10, 10, 0)], stack=2, speech=Speech("http", tls=True)),
            talk([(0, 10, 10, 0)], start=1, host=1, speech=Speech("opaque", tls=True)),
            talk([(0, 10, 10, 0)], start=2, speech=Speech("opaque", tls=True, options={"alpn": "h2", "resume": "1"})),
        ]
    )
    (part,) = spoken(timeline, tls)
    starts = timeline.conversations.start.tolist()
    assert heard == [
        ("api.garden.example", 2, "http/1.1", starts[0]),
        ("198.19.200.1", 0, "", starts[1]),
        ("api.garden.example", 0, "h2", starts[2]),
    ]
    assert manners == [PLAIN, PLAIN, Manner(resume=True)]
    assert variants == variants_of(timeline.conversations.seed).tolist()
    assert len(part.messages.length) == 6, "no alert is made up for a TLS that has its own"


def test_every_hello_that_a_client_may_draw_is_drawn():
    found = variants_of(np.arange(1_000))
    assert sorted(set(found.tolist())) == list(range(VARIANTS))


def test_slices_join_to_the_whole(tiny, monkeypatch):
    (whole,) = spoken(tiny)
    monkeypatch.setattr("lab.stages.dialogues.SLICE_CONVERSATIONS", 2)
    parts = spoken(tiny)
    assert [part.first for part in parts] == [0, 2, 4]
    assert [text for part in parts for text in texts(part)] == texts(whole)
    assert np.concatenate([part.ends.closed for part in parts]).tolist() == whole.ends.closed.tolist()


def test_bytes_depend_on_the_conversation_not_on_its_neighbours(timeline_of, talk):
    (alone,) = spoken(timeline_of([talk([(0, 500, 900, 0)])]))
    (crowd,) = spoken(timeline_of([talk([(0, 500, 900, 0)]), talk([(0, 9, 9, 0)], start=5)]))
    assert texts(crowd)[: len(texts(alone))] == texts(alone)


def test_a_dialogue_without_words_is_none(timeline_of, talk, monkeypatch):
    monkeypatch.setattr("lab.protocols.opaque.messages", lambda _: iter([Message(0, from_client=True, data=b"")]))
    (part,) = spoken(timeline_of([talk([(0, 5, 5, 0)])]))
    assert texts(part) == []


def test_options_of_a_speech_say_how_its_clients_say_hello():
    assert manner_of(Speech("http", tls=True)) == PLAIN
    options = {"sni": "front.example", "ech": "1", "resume": "1"}
    assert manner_of(Speech("http", tls=True, options=options)) == Manner("front.example", ech=True, resume=True)
    assert manner_of(Speech("http", tls=True, options={"sni": "none", "ech": "0"})) == Manner("")


def hellos(part):
    return [text for text in texts(part) if text[:2] == b"\x16\x03" and text[5] == 1]


def test_the_name_in_clear_is_the_one_asked_for_or_none(timeline_of, talk):
    speeches = [
        Speech("http", tls=True, options=options) for options in ({}, {"sni": "front.example"}, {"sni": "none"})
    ]
    (part,) = spoken(timeline_of([talk([(0, 300, 300, 0)], start=k, speech=one) for k, one in enumerate(speeches)]))
    found = [[name for name in (b"api.garden.example", b"front.example") if name in hello] for hello in hellos(part)]
    assert found == [[b"api.garden.example"], [b"front.example"], []]


def test_a_connection_is_secured_where_it_is_upgraded_and_not_before(timeline_of, talk):
    mail = Speech("smtp", port=587, options={"starttls": "1"})
    assert upgrades(mail)
    assert not upgrades(Speech("smtp", tls=True, options={"starttls": "1"}))
    (part,) = spoken(timeline_of([talk([(0, 2_000, 300, 9_000)], speech=mail, stack=3)]))
    said = texts(part)
    (at,) = [k for k, text in enumerate(said) if text[:2] == b"\x16\x03" and text[5] == 1]
    assert said[at - 1] == b"220 2.0.0 Ready to start TLS\r\n"
    assert b"api.garden.example" in said[at]
    assert all(text[0] in {20, 21, 22, 23} and text[1:3] == b"\x03\x03" for text in said[at + 1 :])
    assert len(said) > at + 10
    assert not any(b"AUTH" in text or b"MAIL" in text for text in said)
    times = part.messages.start
    assert (np.diff(times) >= 0).all()
    assert part.ends.closed[0] > times[-1]


@pytest.mark.parametrize("protocol", ["http", "http2", "websocket"])
def test_a_long_poll_is_answered_two_minutes_later_and_nothing_closes_before(timeline_of, talk, protocol):
    rows = [(0, 600, 600, 120_000_000), (121_000_000, 600, 600, 120_000_000)]
    (part,) = spoken(timeline_of([talk(rows, speech=Speech(protocol, tls=True), linger=1_000)]))
    times = part.messages.start - part.ends.start[0]
    down = times[~part.messages.local]
    assert [int((abs(down - due) < 500_000).sum()) for due in (120_000_000, 241_000_000)] == [1, 1]
    assert part.ends.closed[0] - part.ends.start[0] >= 241_000_000


@pytest.mark.tools
def test_tshark_and_suricata_find_nothing_odd_in_upgrades_fronts_and_http2(timeline_of, talk, tmp_path):
    for program in ("tshark", "suricata"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    rows = [(0, 900, 3_000, 9_000), (1_000_000, 900, 40_000, 9_000)]
    speeches = [
        *(Speech(protocol, port=port, options={"starttls": "1"}) for protocol, port in (("smtp", 587), ("imap", 143))),
        Speech("http2", tls=True, options={"host": "hidden.example", "sni": "front.example", "resume": "1"}),
        Speech("http2", port=80),
        Speech("websocket", port=80, options={"subprotocol": "chat.v1"}),
        Speech("websocket", tls=True, options={"ech": "1"}),
        Speech("imap", port=143, options={"mode": "drafts"}),
    ]
    made = [talk(rows, start=k * 1_000, speech=speech, stack=k % 9) for k, speech in enumerate(speeches)]
    capture = play(timeline_of(made), tmp_path / "rec") / "telemetry/capture.pcap"
    fields = ["_ws.malformed", "tls.handshake.extensions_server_name", "_ws.expert.severity"]
    words = ["tshark", "-n", "-osmtp.decryption:TRUE", "-r", capture, "-Tfields", "-Eseparator=|"]
    words += [word for field in fields for word in ("-e", field)]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    cells = [line.split("|") for line in lines]
    assert [cell for cell in cells if cell[0] or any(int(s) >= 0x600000 for s in cell[2].split(",") if s)] == []
    assert sorted(cell[1] for cell in cells if cell[1]) == ["api.garden.example"] * 3 + ["front.example"]
    words = ["suricata", "-r", capture, "-k", "none", "-S", "/dev/null", "-l", tmp_path, "--runmode", "single"]
    subprocess.run(words, capture_output=True, check=True)
    events = [json.loads(line) for line in (tmp_path / "eve.json").read_text().splitlines()]
    odd = {event["anomaly"]["event"] for event in events if event["event_type"] == "anomaly"}
    # of SMTP Suricata knows the client's side only, on real captures (ndpi-smtp) just so
    assert odd <= {"APPLAYER_DETECT_PROTOCOL_ONLY_ONE_DIRECTION"}
    assert sum(event["event_type"] == "flow" for event in events) == len(speeches)
