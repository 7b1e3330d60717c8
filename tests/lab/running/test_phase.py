"""Whoever asks for silence is told nothing, and works all the same."""

from lab.running.phase import in_silence, unsaid


def test_silence_takes_every_report_and_says_nothing(capsys):
    with in_silence("a part") as advance:
        assert advance is unsaid
        advance(1, 2)
    assert capsys.readouterr() == ("", "")
