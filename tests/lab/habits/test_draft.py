"""A draft trims at the end of the span, sorts, and keeps what was said together."""

from __future__ import annotations

import numpy as np
import pytest

from lab.authoring.kinds import behaviour_class
from lab.behaviours import Window
from lab.habits.draft import Draft
from lab.habits.longflow import words


def test_an_empty_draft_is_an_empty_batch():
    batch = Draft(100).batch()
    assert (len(batch.start), batch.contacts, batch.listen) == (0, 0, ())
    assert batch.start.dtype == np.int64


def test_calls_and_talks_keep_their_exchanges():
    draft = Draft(1_000)
    web, peer = draft.web(), draft.peer("vendor")
    draft.calls(web, peer, np.array([10, 20]), up=5, down=[7, 8], delay=3, linger=2)
    draft.talk(web, peer, np.array([40, 30]), up=[1, 2], down=0, delay=0, start=25, close=90)
    batch = draft.batch()
    assert batch.start.tolist() == [10, 20, 25]
    assert batch.close.tolist() == [15, 25, 90]
    assert batch.x_conversation.tolist() == [0, 1, 2, 2]
    assert batch.x_time.tolist() == [10, 20, 30, 40]
    assert batch.x_up.tolist() == [5, 5, 2, 1]


def test_what_is_answered_after_the_span_is_dropped():
    draft = Draft(100)
    web, peer = draft.web(tls=False), draft.peer("own")
    draft.calls(web, peer, np.array([50, 98]), up=1, down=1, delay=2)
    draft.talk(web, peer, np.array([10, 99]), up=1, down=1, delay=5, linger=500)
    draft.listen += [(10, 500, 80), (100, 200, 81)]
    batch = draft.batch()
    assert batch.start.tolist() == [50, 10]
    assert batch.close.tolist() == [52, 99]
    assert batch.x_time.tolist() == [50, 10]
    assert batch.listen == ((10, 100, 80),)


def test_a_talk_without_words_is_none():
    draft = Draft(100)
    draft.talk(draft.web(), draft.peer("own"), np.zeros(0, dtype=np.int64), up=1, down=1, delay=1)
    assert draft.batch().contacts == 0


def test_the_web_has_its_usual_ports():
    draft = Draft(100)
    for made in (draft.web(), draft.web(tls=False), draft.web(port=8080, method="POST")):
        assert draft.speeches[made].protocol == "http"
    assert [(speech.tls, speech.port) for speech in draft.speeches] == [(True, 443), (False, 80), (True, 8080)]
    assert draft.speeches[2].options == {"method": "POST"}


def test_talks_are_many_conversations_at_once():
    draft = Draft(1_000)
    web, peers = draft.web(), np.array([draft.peer("own"), draft.peer("vendor")])
    draft.talk(web, 0, np.array([5]), up=1, down=1, delay=1)
    said = np.array([1, 0, 1, 1]), words(np.array([70, 20, 60, 999]), np.array([7, 2, 6, 9]), 3, 4)
    draft.talks(web, peers[[1, 0, 0]], np.array([10, 50, 80]), said, linger=10, stack=np.array([4, 5, 6]), close=30)
    batch = draft.batch()
    assert batch.start.tolist() == [5, 10, 50], "the third said nothing"
    assert batch.close.tolist() == [6, 34, 999]
    assert batch.x_up.tolist() == [1, 2, 6, 7], "what is answered after the span is dropped"
    assert batch.peer.tolist() == [0, 1, 0]
    assert batch.stack.tolist() == [-1, 4, 5]


def test_a_host_gives_its_ticket_before_it_is_used():
    draft = Draft(1_000)
    speech = draft.speech("http", tls=True, resume="1")
    first, second = draft.peer("vendor"), draft.peer("vendor")
    draft.calls(speech, [second, first, first], np.array([70, 40, 30]), up=1, down=1, delay=1)
    draft.calls(speech, [first, second], np.array([20, 60]), up=1, down=1, delay=1)
    batch = draft.batch()
    resumed = ["resume" in batch.speeches[one].options for one in batch.speech.tolist()]
    assert dict(zip(batch.start.tolist(), resumed, strict=True)) == {20: False, 30: True, 40: True, 60: False, 70: True}
    assert len(batch.speeches) == 2


def test_without_tickets_nothing_changes():
    draft = Draft(1_000)
    speech, peer = draft.web(), draft.peer("vendor")
    draft.calls(speech, peer, np.array([30, 40]), up=1, down=1, delay=1)
    batch = draft.batch()
    assert batch.speech.tolist() == [speech] * 2
    assert len(batch.speeches) == 1


@pytest.mark.parametrize("kind", ["http-poll", "push-poll", "long-poll", "periodic-sync", "event-sync"])
def test_no_kind_resumes_with_a_stranger(kind):
    day = 86_400_000_000
    never, awake = np.zeros((0, 2), dtype=np.int64), np.array([[0, day]])
    window = Window(day, awake, awake, awake, never, never)
    batch = behaviour_class(kind)(resume=True).plan(np.random.default_rng(3), window)
    order = np.argsort(batch.start, kind="stable")
    known, resumed = set(), 0
    for place in order.tolist():
        peer = int(batch.peer[place])
        resuming = "resume" in batch.speeches[batch.speech[place]].options
        assert not (resuming and peer not in known)
        known.add(peer)
        resumed += resuming
    assert resumed > 0, "nobody resumed at all, so this says nothing"
