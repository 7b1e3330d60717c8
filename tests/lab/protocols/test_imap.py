import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.imap import messages

LINE = re.compile(
    rb"(?P<tag>A\d+) (?P<command>LOGIN|SELECT|IDLE|NOOP|APPEND|UID FETCH|UID SEARCH|STARTTLS|CAPABILITY)(?P<rest> .*)?\r\n",
    re.DOTALL,
)
SIZES = st.integers(0, 20_000)


class Server:
    """A strict reader of a client and its server, of the tagged grammar RFC 9051 section 9 has."""

    def __init__(self):
        self.pending, self.idling, self.commands, self.literal, self.fetched = None, False, [], 0, []

    def from_client(self, data):
        if self.idling:
            assert data == b"DONE\r\n"
            self.idling = False
            return
        if self.literal:
            assert len(data) == self.literal + 2
            assert data.endswith(b"\r\n")
            self.literal = 0
            return
        assert self.pending is None
        read = LINE.fullmatch(data)
        assert read, data[:80]
        self.pending = read["tag"]
        self.commands.append(read["command"].decode())
        if size := re.search(rb"\{(\d+)\}\r\n$", data):
            self.literal = int(size[1])

    def from_server(self, data):
        if data.startswith(b"+ "):
            self.idling = self.commands[-1] == "IDLE"
            return
        while data:
            line, _, rest = data.partition(b"\r\n")
            if size := re.search(rb"\{(\d+)\}$", line):
                self.fetched.append(int(size[1]))
                rest = rest[int(size[1]) :]
                assert rest.startswith(b")\r\n")
                rest = rest[3:]
            elif not line.startswith(b"* "):
                assert line.split(b" ")[:2] == [self.pending, b"OK"]
                self.pending = None
            data = rest


def read(dialogue):
    server, said = Server(), list(messages(dialogue))
    for message in said:
        (server.from_client if message.from_client else server.from_server)(message.data)
    return server, said


@given(st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=5), st.sampled_from(["yes", "no"]))
def test_every_command_is_answered_in_order(dialogue, pairs, idle):
    rows = [(10_000_000 * (i + 1), up, down, 50) for i, (up, down) in enumerate(pairs)]
    server, _ = read(dialogue(rows, start=0, idle=idle))
    assert server.commands[:2] == ["LOGIN", "SELECT"]
    assert server.idling == (idle == "yes")
    if idle == "yes":
        assert server.pending is not None  # the tag of the IDLE that goes on
    else:
        assert server.pending is None


def cost(dialogue, up, down, **options):
    """Bytes up and down that one exchange costs beyond the set-up."""
    said = [m for m in messages(dialogue([(10_000_000, up, down, 50)], start=0, **options)) if m.time >= 10_000_000]
    return tuple(sum(len(m.data) for m in said if m.from_client == side) for side in (True, False))


@given(st.integers(200, 60_000))
def test_a_fetch_has_the_size_asked_for_and_so_has_an_append(dialogue, size):
    assert abs(cost(dialogue, 20, size)[1] - size) <= 2
    assert abs(cost(dialogue, size, 20)[0] - size) <= 2


def test_idle_is_reissued_by_a_small_exchange(dialogue):
    server, said = read(dialogue([(29 * 60 * 10**6, 20, 20, 50)], start=0))
    assert server.commands == ["LOGIN", "SELECT", "IDLE", "IDLE"]
    assert said[-4].data == b"DONE\r\n"
    assert all(len(m.data) < 30 for m in said[-4:])


def test_a_mailbox_without_idle_is_polled(dialogue):
    server, _ = read(dialogue([(29 * 60 * 10**6, 20, 20, 50)], start=0, idle="no"))
    assert server.commands == ["LOGIN", "SELECT", "NOOP"]


def test_new_mail_is_pushed_and_fetched(dialogue):
    server, said = read(dialogue([(10**7, 0, 40, 0), (2 * 10**7, 40, 9_000, 50)], start=0))
    pushed = [m for m in said if m.pushed]
    assert [re.match(rb"\* \d+ EXISTS", m.data) is not None for m in pushed] == [True]
    assert "UID FETCH" in server.commands
    assert len(server.fetched) == 1
    assert 8_800 < server.fetched[0] < 9_000


def upgrade(said):
    (at,) = [i for i, m in enumerate(said) if m.upgrades]
    return said[: at + 1], said[at + 1 :]


@pytest.mark.parametrize("mode", ["idle", "drafts"])
def test_starttls_keeps_the_log_in_behind_the_upgrade_and_forgets_what_was_offered(dialogue, mode):
    server, said = read(dialogue([(10**7, 40, 9_000, 50)], start=0, starttls="1", mode=mode))
    assert server.commands[:3] == ["STARTTLS", "CAPABILITY", "LOGIN"]
    clear, secured = upgrade(said)
    assert b"LOGINDISABLED" in clear[0].data
    assert not any(b"LOGIN " in m.data for m in clear)
    assert secured[0].data.endswith(b"CAPABILITY\r\n")
    assert clear[-1].data.startswith(b"A0001 OK")
    assert not any(m.upgrades for m in messages(dialogue([(0, 40, 40, 0)])))


@given(st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=4))
def test_drafts_are_polled_command_by_command(dialogue, pairs):
    rows = [(10_000_000 * (i + 1), up, down, 900_000) for i, (up, down) in enumerate(pairs)]
    server, _ = read(dialogue(rows, start=0, mode="drafts"))
    assert server.pending is None
    assert not server.idling
    assert server.commands[0] == "LOGIN"
    assert server.commands.count("APPEND") == sum(up > 400 for up, _ in pairs)
    asked = sum(up > 0 or down == 0 for up, down in pairs)
    assert server.commands.count("SELECT") == server.commands.count("UID SEARCH") == asked


@given(st.integers(120, 20_000), st.integers(400, 60_000))
def test_a_poll_of_drafts_has_the_sizes_asked_for(dialogue, up, down):
    sizes = cost(dialogue, up, down, mode="drafts")
    assert abs(sizes[0] - up) <= 14
    assert abs(sizes[1] - down) <= 30  # an APPEND is answered, too


def test_an_empty_folder_of_drafts_is_searched_and_nothing_fetched(dialogue):
    server, said = read(dialogue([(10**7, 80, 100, 50)], start=0, mode="drafts"))
    assert server.commands == ["LOGIN", "SELECT", "UID SEARCH"]
    assert said[-1].data.startswith(b"* SEARCH\r\n")


def test_another_mode_is_refused(dialogue):
    with pytest.raises(ValueError, match="idle, drafts"):
        list(messages(dialogue([(0, 1, 1, 1)], mode="trash")))


@pytest.mark.tools
def test_tshark_and_suricata_find_nothing_odd(dialogue, malformed, anomalies):
    rows = [(10**7, 300, 4_000, 50), (2 * 10**7, 2_000, 300, 50), (3 * 10**7, 0, 40, 0)]
    talks = [
        list(messages(dialogue(rows, start=0, mode=mode, seed=seed))) for seed, mode in enumerate(["idle", "drafts"])
    ]
    assert malformed(talks, 143) == []
    assert anomalies(talks, 143) == []
