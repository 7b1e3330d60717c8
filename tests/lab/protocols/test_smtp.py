import base64
import email
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.smtp import messages, stuffed, text

SIZES = st.integers(0, 20_000)
SMALLEST = 450


class Server:
    """A strict reader of a client, and of what its server says, written from RFC 5321 and RFC 4954."""

    def __init__(self):
        self.state, self.mails, self.replies, self.login, self.open = "greeting", [], [], None, True
        self.greeted = 0

    def from_client(self, data):
        assert self.open
        assert data.endswith(b"\r\n")
        getattr(self, self.state)(data)

    def ehlo(self, data):
        assert re.fullmatch(rb"EHLO (\[[0-9.]+\]|[a-z.-]+)\r\n", data)
        self.state = "auth"
        self.greeted += 1

    def auth(self, data):
        _, user, password = base64.b64decode(re.fullmatch(rb"AUTH PLAIN (\S+)\r\n", data)[1]).split(b"\0")
        self.login, self.state = (user, password), "ready"

    def starttls(self, data):
        assert data == b"STARTTLS\r\n"
        self.state = "ehlo"

    def ready(self, data):
        if data == b"QUIT\r\n":
            self.open = False
        elif data != b"NOOP\r\n":
            assert re.fullmatch(rb"MAIL FROM:<[^<> ]+@[^<> ]+>\r\n", data)
            self.state = "rcpt"

    def rcpt(self, data):
        assert re.fullmatch(rb"RCPT TO:<[^<> ]+@[^<> ]+>\r\n", data)
        self.state = "data"

    def data(self, data):
        assert data == b"DATA\r\n"
        self.state = "text"

    def text(self, data):
        *lines, end, nothing = data.split(b"\r\n")
        assert (end, nothing) == (b".", b"")
        assert b"." not in lines, "the end came early"
        assert max(map(len, lines)) <= 998, "RFC 5322 section 2.1.1"
        assert all(line.startswith(b"..") for line in lines if line.startswith(b"."))
        self.mails.append(b"\r\n".join(line.removeprefix(b".") for line in lines))
        self.state = "ready"

    def from_server(self, data):
        *lines, nothing = data.split(b"\r\n")
        assert nothing == b""
        assert all(re.match(rb"\d\d\d-", line) for line in lines[:-1])
        assert re.match(rb"\d\d\d ", lines[-1])
        assert max(map(len, lines)) <= 510, "RFC 5321 section 4.5.3.1.5"
        self.replies.append(int(lines[-1][:3]))
        if self.state == "greeting":
            self.state = "ehlo"
        if self.state == "auth" and b"STARTTLS" in data:
            assert b"AUTH" not in data
            self.state = "starttls"


def read(dialogue):
    server, said = Server(), list(messages(dialogue))
    for message in said:
        (server.from_client if message.from_client else server.from_server)(message.data)
    return server, said


@given(st.lists(st.tuples(SIZES, SIZES), max_size=4))
def test_every_command_is_answered_in_order_and_the_end_is_said(dialogue, pairs):
    rows = [(10_000_000 * (i + 1), up, down, 50) for i, (up, down) in enumerate(pairs)]
    server, said = read(dialogue(rows, start=0))
    assert [m.from_client for m in said] == [False, True] * (len(said) // 2) + [False]
    assert server.replies[:3] == [220, 250, 235]
    assert server.replies[-1] == 221
    assert not server.open
    assert len(server.mails) == sum(up >= SMALLEST for up, _ in pairs) or min(up for up, _ in pairs) < SMALLEST
    assert server.login[0].endswith(b"@mail.example")


def cost(dialogue, up, down):
    """Bytes up and down of one exchange, beyond the set-up and without QUIT."""
    said = [m for m in messages(dialogue([(10_000_000, up, down, 50)], start=0, quit="no")) if m.time >= 10_000_000]
    return tuple(sum(len(m.data) for m in said if m.from_client == side) for side in (True, False))


@given(st.integers(SMALLEST, 60_000), st.integers(100, 5_000))
def test_a_mail_and_its_replies_have_the_sizes_asked_for(dialogue, up, down):
    sizes = cost(dialogue, up, down)
    assert sizes[0] - up in {0, 1}
    assert sizes[1] - down in {0, -1}


def test_a_mail_is_one_to_a_mail_reader(dialogue):
    server, _ = read(dialogue([(1_772_478_000_000_000, 3_000, 110, 80_000)]))
    mail = email.message_from_bytes(server.mails[0])
    assert mail["Date"] == "Mon, 02 Mar 2026 19:00:00 +0000"
    assert mail["From"].strip("<>").encode() == server.login[0]
    assert mail["User-Agent"] == "okhttp/4.12.0"
    assert mail.defects == []
    assert len(mail.get_payload()) > 2_000


@given(st.integers(1, 4_000), st.integers(0, 2**32))
def test_text_has_its_size_and_never_ends_the_mail(size, seed):
    said = text(np.random.default_rng(seed), size)
    assert len(said) == max(size, 2)
    assert said.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in b"\r\n" + said


def test_full_stops_at_the_beginning_are_stuffed():
    lines = text(np.random.default_rng(1), 200_000).split(b"\r\n")
    begun = [line for line in lines if line.startswith(b".")]
    assert len(begun) > 10
    assert all(line.startswith(b"..") for line in begun)
    assert stuffed(b".") == b".."


def test_the_strict_reader_refuses_a_mail_without_stuffing():
    server = Server()
    server.state = "text"
    with pytest.raises(AssertionError):
        server.from_client(b"Subject: x\r\n\r\n.hidden\r\n.\r\n")


def test_too_little_for_a_mail_is_a_noop(dialogue):
    server, said = read(dialogue([(10**7, 60, 0, 50), (2 * 10**7, 0, 300, 50)], start=0))
    assert server.mails == []
    assert [m.data for m in said if m.from_client][2:] == [b"NOOP\r\n", b"NOOP\r\n", b"QUIT\r\n"]
    assert len(said[-3].data) == 300


def test_the_delay_is_that_of_the_whole_mail(dialogue):
    said = [m for m in messages(dialogue([(10**7, 900, 110, 80_000)], start=0, quit="no")) if m.time >= 10**7]
    assert [m.time - 10**7 for m in said] == [0, 10_000, 10_000, 20_000, 20_000, 30_000, 30_000, 80_000]


def test_an_address_greets_as_a_literal_and_a_user_is_named(dialogue):
    made = dialogue([(0, 900, 110, 0)], host="198.18.0.9", user="me@post.example")
    server, said = read(made)
    assert said[0].data == b"220 [198.18.0.9] ESMTP ready\r\n"
    assert server.login[0] == b"me@post.example"


def test_starttls_keeps_log_in_and_mails_behind_the_upgrade(dialogue):
    server, said = read(dialogue([(10**7, 2_000, 110, 50)], start=0, starttls="1"))
    (at,) = [i for i, m in enumerate(said) if m.upgrades]
    assert said[at].data.startswith(b"220 ")
    assert not any(b"AUTH" in m.data for m in said[: at + 1])
    assert said[at + 1].data.startswith(b"EHLO")
    assert (server.greeted, len(server.mails), server.open) == (2, 1, False)
    assert not any(m.upgrades for m in messages(dialogue([(0, 2_000, 110, 50)])))


@pytest.mark.tools
def test_tshark_and_suricata_find_nothing_odd(dialogue, malformed, anomalies):
    talks = [
        list(messages(dialogue([(10**7, 2_000, 300, 50), (2 * 10**7, 60, 60, 5)], start=0, seed=seed)))
        for seed in range(3)
    ]
    assert malformed(talks, 587) == []
    # of SMTP Suricata knows the client's side only, on real captures (ndpi-smtp) just so
    assert set(anomalies(talks, 587)) <= {("applayer", "APPLAYER_DETECT_PROTOCOL_ONLY_ONE_DIRECTION")}
