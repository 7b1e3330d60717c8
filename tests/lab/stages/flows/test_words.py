"""Words: what sensors get to read of a class."""

from lab.stages.flows.classes import Class
from lab.stages.flows.words import first_words, later_words, opening


def test_the_first_words_are_set_up_and_exchange():
    kind = Class("smtp", 25, named=True, options=())
    up, down = opening(kind, 300, 100)
    assert up.startswith(b"EHLO")
    assert down.startswith(b"220 ")
    assert sum(len(one.data) for one in first_words(kind, 300, 100)) == len(up) + len(down)


def test_a_handshake_later_on_is_one():
    kind = Class("datagram", 51_820, named=False, options=())
    assert later_words(kind, 148, 92)[0][:4] == b"\1\0\0\0"
    assert later_words(kind, 300, 92)[0][:4] == b"\4\0\0\0"
