"""Runs where mitmproxy is: in the gateway's image, by tests/live/gateway."""

import asyncio
import json
import os
import socket
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

try:
    from mitmproxy import udp
    from mitmproxy.addons.next_layer import NextLayer
    from mitmproxy.proxy import context, layer, layers
    from mitmproxy.proxy.mode_specs import ProxyMode
    from mitmproxy.test import taddons, tflow
except ImportError as absent:
    raise unittest.SkipTest("no mitmproxy here; tests/live/gateway runs this in the image") from absent

from lab.stages.live.gateway.image import addon
from lab.stages.live.gateway.image.addon import Gateway

QUESTION = bytes.fromhex("1267012000010000000000000377777707") + b"example\x00\x00\x01\x00\x01"
ANSWER = QUESTION[:2] + bytes.fromhex("8183000100000000") + bytes(2) + QUESTION[12:]


class Events(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name, "events")
        self.gateway = Gateway()
        self.addCleanup(self.gateway.notices.close)
        self.addCleanup(self.gateway.sink.close)
        assert self.gateway.obey({"do": "record"}, [os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)]) == {}

    def told(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def test_a_request_and_its_answer_are_one_line_with_whole_sizes(self):
        flow = tflow.tflow(resp=True)
        self.gateway.requestheaders(flow)
        assert flow.request.stream(b"content") == b"content"
        self.gateway.responseheaders(flow)
        assert flow.response.stream(b"message") == b"message"
        assert self.told() == []
        self.gateway.response(flow)
        (row,) = self.told()
        assert (row["v"], row["event"], row["status"], row["error"], row["unfinished"]) == (1, "http", 200, None, False)
        head = len("GET /path HTTP/1.1\r\nheader: qvalue\r\ncontent-length: 7\r\n\r\n")
        assert row["bytes_up"] == head + 7
        assert row["bytes_down"] == len("HTTP/1.1 200 OK\r\nheader-response: svalue\r\ncontent-length: 7\r\n\r\n") + 7
        assert row["client"] == ["127.0.0.1", 22]
        assert row["server"] == ["address", 22]
        assert self.gateway.open == {}

    def test_an_error_is_the_line_of_a_request_once(self):
        flow = tflow.tflow(err=True)
        self.gateway.requestheaders(flow)
        self.gateway.error(flow)
        self.gateway.error(flow)
        (row,) = self.told()
        assert (row["error"], row["status"]) == ("error", None)

    def test_the_end_of_a_recording_tells_what_is_still_open(self):
        flow, relayed = tflow.tflow(), tflow.ttcpflow()
        self.gateway.requestheaders(flow)
        self.gateway.tcp_start(relayed)
        assert self.gateway.obey({"do": "stop"}, []) == {"lines": 2}
        assert [(row["event"], row["unfinished"]) for row in self.told()] == [("http", True), ("tcp", True)]

    def test_relayed_pieces_are_counted_and_forgotten(self):
        flow = tflow.ttcpflow()
        pieces, flow.messages = flow.messages, []
        self.gateway.tcp_start(flow)
        for piece in pieces:
            flow.messages.append(piece)
            self.gateway.tcp_message(flow)
        assert flow.messages == []
        self.gateway.tcp_end(flow)
        (row,) = self.told()
        up = sum(len(piece.content) for piece in pieces if piece.from_client)
        assert (row["event"], row["bytes_up"]) == ("tcp", up)
        assert up > 0

    def test_look_ups_are_matched_by_id_and_open_ones_told_at_the_end(self):
        flow = tflow.tudpflow()
        flow.messages.clear()
        flow.client_conn.proxy_mode = ProxyMode.parse("reverse:udp://100.64.77.2:53@5300")
        self.gateway.udp_start(flow)
        other = b"\x00\x01" + QUESTION[2:]
        for from_client, data in ((True, QUESTION), (True, other), (False, ANSWER)):
            flow.messages.append(udp.UDPMessage(from_client, data, 1.0))
            self.gateway.udp_message(flow)
        self.gateway.udp_end(flow)
        answered, waiting = self.told()
        assert (answered["qname"], answered["qtype"], answered["rcode"]) == ("www.example", "A", 3)
        assert (answered["bytes_up"], answered["bytes_down"]) == (len(QUESTION), len(ANSWER))
        assert answered["server"] == ["10.88.0.1", 53]
        assert (waiting["qname"], waiting["rcode"], waiting["end_us"], waiting["bytes_down"]) == (
            "www.example",
            None,
            None,
            0,
        )

    def test_an_id_that_is_used_again_leaves_the_older_question_unanswered(self):
        flow = tflow.tudpflow()
        flow.messages.clear()
        flow.client_conn.proxy_mode = ProxyMode.parse("reverse:udp://100.64.77.2:53@5300")
        self.gateway.udp_start(flow)
        other = QUESTION.replace(b"\x03www", b"\x03old")
        for at, from_client, data in ((1.0, True, other), (2.0, True, QUESTION), (3.0, False, ANSWER)):
            flow.messages.append(udp.UDPMessage(from_client, data, at))
            self.gateway.udp_message(flow)
        self.gateway.udp_end(flow)
        told = [(row["qname"], row["time_us"], row["end_us"], row["rcode"]) for row in self.told()]
        assert told == [("old.example", 1_000_000, None, None), ("www.example", 2_000_000, 3_000_000, 3)]

    def test_websocket_messages_are_told_and_forgotten(self):
        flow = tflow.twebsocketflow()
        message = flow.websocket.messages[0]
        flow.websocket.messages = [message]
        self.gateway.websocket_message(flow)
        self.gateway.websocket_end(flow)
        first, last = self.told()
        assert first["frame_bytes"] == first["bytes"] + (6 if message.from_client else 2)
        assert last["event"] == "websocket_end"
        assert flow.websocket.messages == []

    def test_a_handshake_refused_names_client_server_and_reason(self):
        flow = tflow.tflow()
        flow.client_conn.sni, flow.client_conn.error = "pinned.example", "unknown ca"
        self.gateway.tls_failed_client(
            SimpleNamespace(conn=flow.client_conn, context=SimpleNamespace(server=flow.server_conn))
        )
        (row,) = self.told()
        assert (row["event"], row["sni"], row["reason"]) == ("tls_failed", "pinned.example", "unknown ca")


class Ways(unittest.TestCase):
    def test_the_servers_are_told_whose_a_connection_is(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as servers:
            servers.bind(("127.0.0.1", 0))
            servers.settimeout(5)
            before, addon.NOTICES = addon.NOTICES, servers.getsockname()
            gateway = Gateway()
            try:
                flow = tflow.tflow()
                gateway.server_connected(SimpleNamespace(client=flow.client_conn, server=flow.server_conn))
                told = json.loads(servers.recv(65536))
            finally:
                addon.NOTICES = before
                gateway.notices.close()
        assert told == {
            "upstream": ["address", 22],
            "server": ["192.168.0.1", 22],
            "client": ["127.0.0.1", 22],
            "proto": "tcp",
        }

    def test_name_look_ups_go_where_the_plan_says_and_nothing_else_does(self):
        gateway = Gateway()
        self.addCleanup(gateway.notices.close)
        with taddons.context(gateway):
            gateway.obey({"do": "plan", "resolver": ["100.64.77.9", 53], "origin_ca": None}, [])
        flow = tflow.tflow()
        data = SimpleNamespace(client=flow.client_conn, server=SimpleNamespace(address=("198.18.0.1", 80)))
        flow.client_conn.proxy_mode = ProxyMode.parse("transparent@8888")
        gateway.server_connect(data)
        assert data.server.address == ("198.18.0.1", 80)
        flow.client_conn.proxy_mode = ProxyMode.parse("reverse:udp://100.64.77.2:53@5300")
        gateway.server_connect(data)
        assert data.server.address == ("100.64.77.9", 53)

    def test_proxy_requests_are_relayed_and_others_read(self):
        gateway = Gateway()
        self.addCleanup(gateway.notices.close)
        with taddons.context(NextLayer(), gateway) as made:
            heads = [(b"CONNECT a:443 HTTP/1.1\r\n", layers.TCPLayer), (b"GET / HTTP/1.1\r\n", layers.HttpLayer)]
            heads += [
                (b"abc\x93 \x07\n", layers.TCPLayer),
                (b"ABC1", layers.TCPLayer),
                (b"PROPFIND / HTTP/1.1\r\n", layers.HttpLayer),
            ]
            for head, kind in heads:
                client = tflow.tflow().client_conn
                client.alpn = None
                around = context.Context(client, made.options)
                around.server.address = ("198.18.0.1", 80)
                mode = layers.modes.TransparentProxy(around)
                asked = layer.NextLayer(around)
                asked.data_client = lambda head=head: head
                gateway.next_layer(asked)
                assert isinstance(asked.layer, kind)
                assert around.layers == [mode, asked.layer]

    def test_orders_come_over_a_socket_and_faults_are_answers(self):
        async def run():
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            gateway = Gateway()
            os.environ[addon.ORDERS] = str(theirs.detach())
            try:
                gateway.running()
            finally:
                del os.environ[addon.ORDERS]
            loop = asyncio.get_running_loop()
            ours.setblocking(False)
            answers = []
            for order in (b'{"do": "ping"}', b'{"do": "record"}'):
                ours.send(order)
                answers.append(json.loads(await asyncio.wait_for(loop.sock_recv(ours, 65536), 5)))
            return answers, (ours, gateway.orders, gateway.notices)

        (done, refused), sockets = asyncio.run(run())
        for one in sockets:
            one.close()
        assert done == {}
        assert "IndexError" in refused["error"]


if __name__ == "__main__":
    unittest.main()
