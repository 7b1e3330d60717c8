"""Runs where mitmproxy is: in the gateway's image, by tests/live/gateway."""

import unittest

try:
    from mitmproxy.connection import Client, Server
    from mitmproxy.net.http.http1.assemble import assemble_request_head
    from mitmproxy.net.http.http1.read import read_request_head
    from mitmproxy.proxy.commands import CloseConnection, Log, SendData
except ImportError as absent:
    raise unittest.SkipTest("no mitmproxy here; tests/live/gateway runs this in the image") from absent

from lab.stages.live.gateway.image.verbatim import joined, remembering, repeating

CLIENT = Client(peername=("10.88.1.1", 1), sockname=("10.88.0.1", 2))
SERVER = Server(address=("198.18.0.1", 80))


class Joined(unittest.TestCase):
    def test_what_goes_one_way_without_a_break_goes_at_once(self):
        head, body, other = SendData(CLIENT, b"head"), SendData(CLIENT, b"body"), SendData(SERVER, b"other")
        made = list(joined([head, Log("streaming"), body, other, CloseConnection(SERVER), SendData(CLIENT, b"x")]))
        said = [(command.connection, command.data) for command in made if isinstance(command, SendData)]
        assert said == [(CLIENT, b"headbody"), (SERVER, b"other"), (CLIENT, b"x")]
        closing = next(k for k, command in enumerate(made) if isinstance(command, CloseConnection))
        assert [isinstance(command, SendData) for command in made[:closing]].count(True) == 2

    def test_nothing_stays_nothing(self):
        assert list(joined([])) == []


class Heads(unittest.TestCase):
    def setUp(self):
        self.assemble = repeating(assemble_request_head)
        self.read = remembering(read_request_head, assemble_request_head)

    def test_a_head_leaves_byte_by_byte_as_it_came(self):
        head = b"GET /x HTTP/1.1\r\nhost:a\r\nX-Odd:   two  \r\n\tfolded\r\n\r\n"
        message = self.read(head.removesuffix(b"\r\n\r\n").split(b"\r\n"))
        assert self.assemble(message) == head
        assert assemble_request_head(message) != head  # what mitmproxy would have made of it

    def test_a_changed_head_leaves_changed(self):
        message = self.read([b"GET /x HTTP/1.1", b"expect:  100-continue"])
        del message.headers["expect"]
        assert self.assemble(message) == b"GET /x HTTP/1.1\r\n\r\n"


if __name__ == "__main__":
    unittest.main()
