"""Conversations in words: names, ends and slices."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import Speech
from lab.protocols import Message
from lab.stages.dialogues import formats_of, slices
from lab.stages.link import ALIGN, links_of


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
    heard = []

    def tls(messages, *, host, stack, alpn, rng, start, manner):
        heard.append((host, stack, alpn, start))
        yield from messages

    timeline = timeline_of(
        [
            talk([(0, 10, 10, 0)], stack=2, speech=Speech("http", tls=True)),
            talk([(0, 10, 10, 0)], start=1, host=1, speech=Speech("opaque", tls=True)),
            talk([(0, 10, 10, 0)], start=2, speech=Speech("opaque", tls=True, options={"alpn": "h2"})),
        ]
    )
    (part,) = spoken(timeline, tls)
    starts = timeline.conversations.start.tolist()
    assert heard == [
        ("api.garden.example", 2, "http/1.1", starts[0]),
        ("198.19.200.1", 0, "", starts[1]),
        ("api.garden.example", 0, "h2", starts[2]),
    ]
    assert len(part.messages.length) == 6, "no alert is made up for a TLS that has its own"


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
