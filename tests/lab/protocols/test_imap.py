import re

from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.imap import messages

LINE = re.compile(rb"(?P<tag>A\d+) (?P<command>LOGIN|SELECT|IDLE|NOOP|APPEND|UID FETCH)(?P<rest> .*)?\r\n", re.DOTALL)
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
