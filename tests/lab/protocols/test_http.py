from xml.etree.ElementTree import ParseError, fromstring

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.http import messages

SIZES = st.integers(0, 30_000)
HOSTS = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?\.){1,3}example", fullmatch=True).filter(
    lambda h: len(h) <= 200
)


def conversation(dialogue):
    """What an h11 server and an h11 client read from it: (request, body, answer, body) per exchange."""
    server, client, read = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT), []
    for message in messages(dialogue):
        if message.from_client:
            server.receive_data(message.data)
            asked, body = events(server)
            client.send(h11.Request(method=asked.method, target="/", headers=[("Host", "x")]))
            client.send(h11.EndOfMessage())
            server.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            server.send(h11.EndOfMessage())
        else:
            client.receive_data(message.data)
            read.append((asked, body, *events(client)))
            client.start_next_cycle()
            server.start_next_cycle()
    return read


def events(connection):
    head, body = connection.next_event(), b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.EndOfMessage):
            return head, body
        assert isinstance(event, h11.Data), event
        body += event.data


@given(st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=4), HOSTS, st.sampled_from(["GET", "POST", "PUT", ""]))
def test_h11_reads_every_exchange_of_one_connection(dialogue, pairs, host, method):
    made = dialogue([(i, up, down, 5) for i, (up, down) in enumerate(pairs)], host=host, method=method)
    read = conversation(made)
    assert len(read) == len(pairs)
    for (asked, _, answer, body), (_, down) in zip(read, pairs, strict=True):
        assert dict(asked.headers)[b"host"].decode() == host
        assert dict(asked.headers)[b"user-agent"] == b"okhttp/4.12.0"
        assert not method or asked.method.decode() == method
        assert (answer.status_code, body) == (204, b"") if not down else answer.status_code == 200


@given(st.integers(300, 30_000), st.integers(200, 200_000))
def test_sizes_are_as_asked_or_one_more_where_no_length_field_fits(dialogue, up, down):
    request, answer = messages(dialogue([(0, up, down, 1)], method="POST"))
    assert len(request.data) - up in {0, 1}
    assert len(answer.data) - down in {0, 1}


@given(st.integers(160, 4_000))
def test_a_get_carries_its_size_in_the_query(dialogue, up):
    request, _ = messages(dialogue([(0, up, 500, 1)], method="GET", path="/v1/sync"))
    assert abs(len(request.data) - up) <= 3  # "?q=" has no shorter form
    assert request.data.startswith(b"GET /v1/sync")


@given(st.integers(400, 30_000), st.integers(200, 30_000), st.sampled_from(["text/xml", 'text/xml; charset="utf-8"']))
def test_bodies_of_xml_are_documents_of_the_size_asked_for(dialogue, up, down, kind):
    made = dialogue([(0, up, down, 1)], method="POST", content_type=kind)
    ((_, question, _, answer),) = conversation(made)
    assert {len(fromstring(body)) for body in (question, answer)} == {0}, "an element without another in it"
    for message, size in zip(messages(made), (up, down), strict=True):
        assert len(message.data) - size in {0, 1}
    ((_, filled, _, _),) = conversation(dialogue([(0, up, down, 1)], method="POST"))
    with pytest.raises(ParseError):  # the negative control
        fromstring(filled)


def test_too_small_a_size_gives_the_minimum_and_no_method_is_invented(dialogue):
    request, answer = messages(dialogue([(0, 1, 1, 1)], method="POST"))
    assert b"Content-Length: 0" in request.data
    assert b"Content-Length: 0" in answer.data


def test_a_port_and_an_address_are_named_as_uris_do(dialogue):
    request, _ = messages(dialogue([(0, 1, 1, 1)], host="2001:db8::7", port=8080))
    assert b"Host: [2001:db8::7]:8080\r\n" in request.data


def test_an_illegal_path_is_refused(dialogue):
    with pytest.raises(h11.LocalProtocolError):
        list(messages(dialogue([(0, 1, 1, 1)], path="/a b")))


def test_a_host_that_is_not_the_servers_is_in_the_header_alone(dialogue):
    from dataclasses import replace

    made = replace(dialogue([(0, 300, 300, 120_000_000)]), options={"host": "front.example"})
    request, answer = messages(made)
    assert b"Host: front.example\r\n" in request.data
    assert made.host.encode() not in request.data
    assert answer.time == 120_000_000, "a long poll is answered when it is due"


@pytest.mark.tools
def test_tshark_and_suricata_find_nothing_odd(dialogue, malformed, anomalies):
    rows = [(0, 300, 4_000, 50), (10**6, 9_000, 0, 50), (2 * 10**6, 0, 70_000, 5), (3 * 10**6, 300, 300, 120_000_000)]
    manners = ({}, {"method": "POST"}, {"method": "POST", "content_type": 'text/xml; charset="utf-8"'})
    talks = [list(messages(dialogue(rows, port=80, seed=seed, **manner))) for seed, manner in enumerate(manners)]
    assert malformed(talks, 80) == []
    assert anomalies(talks, 80) == []


@pytest.mark.tools
def test_a_head_that_is_none_is_found_by_suricata(dialogue, anomalies):
    said = [
        m if m.from_client else type(m)(m.time, False, b"HTTP/1.1 abc\r\nx")
        for m in messages(dialogue([(0, 300, 300, 5)], port=80))
    ]
    assert anomalies([said], 80) != []
