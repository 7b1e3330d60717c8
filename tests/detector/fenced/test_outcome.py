"""What a message shows of a program's last words."""

from detector.fenced import Ended


def test_the_last_three_lines_are_told_in_one():
    assert Ended(1, b"", b"one\ntwo\n three\nfour\n").told == "two | three | four"


def test_silence_and_broken_text_are_told_too():
    assert Ended(1, b"", b"  \n").told == "nothing on stderr"
    assert Ended(1, b"", b"\xff").told == "\N{REPLACEMENT CHARACTER}"
