"""A mail app in IMAP IDLE: what is fetched in which conversation, drawn as if one conversation followed the other."""

import numpy as np

from lab.behaviours import SECOND
from lab.behaviours.mail_imap import APART, EDGE, Behaviour, _fetches
from lab.habits.clock import thinking

DIALLED = np.array([[0, 100], [200, 300], [400, 900]], dtype=np.int64) * SECOND


def seconds(*times: float) -> np.ndarray:
    return (np.array(times) * SECOND).astype(np.int64)


def test_what_comes_between_conversations_or_at_their_edges_is_not_fetched():
    mails, reads = seconds(3, 50, 150, 297, 500), seconds(250)
    of, fetched = _fetches(mails, reads, DIALLED)
    assert of.tolist() == [0, 1, 2]
    assert fetched.tolist() == seconds(50, 250, 500).tolist()


def test_commands_that_follow_closely_are_one():
    of, fetched = _fetches(seconds(50, 53.9), seconds(60, 64), DIALLED)
    assert fetched.tolist() == seconds(50, 60).tolist()
    assert np.diff(fetched).min() > APART
    assert of.tolist() == [0, 0]


def test_no_conversation_fetches_nothing():
    of, fetched = _fetches(seconds(50), seconds(60), np.zeros((0, 2), dtype=np.int64))
    assert len(of) == len(fetched) == 0


def test_answers_are_drawn_for_one_conversation_after_the_other():
    counts, behaviour = np.array([2, 0, 3]), Behaviour()
    sizes, thoughts = behaviour._answers(np.random.default_rng(4), counts)
    rng, expected = np.random.default_rng(4), []
    for count in counts.tolist():
        size = np.maximum(behaviour.mail * rng.lognormal(0.0, 1.0, count), 400).astype(np.int64)
        expected.append((size, thinking(rng, count)))
    assert sizes.tolist() == np.concatenate([size for size, _ in expected]).tolist()
    assert thoughts.tolist() == np.concatenate([thought for _, thought in expected]).tolist()


def test_idle_is_renewed_from_the_last_command_to_the_next_or_the_end():
    behaviour = Behaviour(reissue=100.0)
    whose, renewed = behaviour._renewals(np.array([2]), seconds(550), DIALLED)
    assert whose.tolist() == [2, 2, 2, 2]
    assert renewed.tolist() == seconds(500, 650, 750, 850).tolist()
    assert (DIALLED[whose, 1] - renewed > EDGE).all()
