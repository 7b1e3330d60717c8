"""The mailbox has the script's count and the texts that will be fetched; deliveries get the next UID."""

from __future__ import annotations

from lab.stages.live.servers.image.maildir import Maildir

SAID = [
    b"* OK ready\r\n",
    b"* FLAGS ()\r\n* 12 EXISTS\r\nA2 OK done\r\n",
    b"* 12 FETCH (UID 12 BODY[] {3}\r\nold)\r\nA3 OK done\r\n",
    b"* 13 EXISTS\r\n",
    b"* 13 FETCH (UID 13 BODY[] {4}\r\nnew!)\r\nA4 OK done\r\n",
    b"* 13 FETCH (UID 13 BODY[] {5}\r\nagain)\r\nA5 OK done\r\n",
]


def test_prepared_and_delivered(tmp_path):
    box = Maildir(tmp_path / "n1", SAID)
    box.prepare()
    names = sorted((tmp_path / "n1/cur").iterdir())
    assert len(names) == box.count == 12
    assert names[-1].read_bytes() == b"old"
    assert len({path.stat().st_ino for path in names}) == 2
    assert box.deliver() == 13
    assert [path.read_bytes() for path in (tmp_path / "n1/new").iterdir()] == [b"new!"]
    assert list((tmp_path / "n1/tmp").iterdir()) == []


def test_a_script_without_a_mailbox_has_an_empty_one(tmp_path):
    box = Maildir(tmp_path / "n2", [])
    box.prepare()
    assert list((tmp_path / "n2/cur").iterdir()) == []
