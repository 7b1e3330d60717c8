"""What a phone's apps do in the gateway's live test; each case prints one JSON line."""

import hashlib
import json
import socket
import ssl
import struct
import sys
import time

import h2.connection
import h2.events
from wsproto import WSConnection
from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request, TextMessage

HOST = "www.lab.example"


def dial(address, port, trust=None, alpn=("http/1.1",), timeout_s=30):
    link = socket.create_connection((address, port), timeout=timeout_s)
    client = link.getsockname()[:2]
    if trust:
        context = ssl.create_default_context(cafile=f"/src/{trust}")
        context.set_alpn_protocols(list(alpn))
        link = context.wrap_socket(link, server_hostname=HOST)
    return link, list(client)


def read_all(link, size):
    data = b""
    while len(data) < size:
        part = link.recv(65536)
        if not part:
            break
        data += part
    return data


def read_answer(link):
    data = b""
    while b"\r\n\r\n" not in data:
        data += link.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    if b"chunked" in head:
        while not data.endswith(b"0\r\n\r\n"):
            data += link.recv(65536)
        return data
    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    digest, counted = hashlib.sha256(data), len(data)
    if size < 1 << 20:
        return data + read_all(link, size - len(body))
    size -= len(body)
    while size:
        part = link.recv(min(size, 1 << 20))
        assert part, "the server hung up"
        digest.update(part)
        counted += len(part)
        size -= len(part)
    return counted, digest.hexdigest()


def web(address, port, trust=None, path="/small", size=0, times=1):
    link, client = dial(address, int(port), trust if trust != "-" else None)
    head = f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\nUser-Agent: test/1\r\nx-ODD: 1\r\nContent-Length: {size}\r\n\r\n"
    said = head.encode() + b"u" * int(size)
    took = []
    for _ in range(int(times)):
        begun = time.perf_counter()
        link.sendall(said)
        heard = read_answer(link)
        took.append(time.perf_counter() - begun)
    got = list(heard) if isinstance(heard, tuple) else [len(heard), hashlib.sha256(heard).hexdigest()]
    took.sort()
    issuer = link.getpeercert()["issuer"][-1][0][1] if isinstance(link, ssl.SSLSocket) else None
    if path == "/idle-close":
        link.settimeout(20)
        begun = time.perf_counter()
        assert link.recv(1) == b""
        return {"client": client, "closed_s": time.perf_counter() - begun}
    said = [len(said), hashlib.sha256(said).hexdigest()]
    return {"client": client, "said": said, "got": got, "issuer": issuer, "p50_ms": 1000 * took[len(took) // 2]}


def many(address, port, trust, seconds, rate):
    """So many new connections a second for so long: how many were answered, and how late at the worst."""
    begun, done, worst, took = time.perf_counter(), 0, 0.0, []
    for k in range(int(float(seconds) * float(rate))):
        due = begun + k / float(rate)
        time.sleep(max(0.0, due - time.perf_counter()))
        worst = max(worst, time.perf_counter() - due)
        at = time.perf_counter()
        web(address, port, trust)
        took.append(time.perf_counter() - at)
        done += 1
    took.sort()
    return {"done": done, "worst_s": worst, "s": time.perf_counter() - begun, "p50_ms": 1000 * took[done // 2]}


def websocket(address, port, trust=None):
    link, client = dial(address, int(port), trust if trust != "-" else None)
    talk = WSConnection(ConnectionType.CLIENT)
    link.sendall(talk.send(Request(host=HOST, target="/ws")))
    heard, sent = [], False
    while True:
        data = link.recv(65536)
        assert data, "the server hung up"
        talk.receive_data(data)
        for event in talk.events():
            if isinstance(event, AcceptConnection):
                link.sendall(talk.send(TextMessage(data="hello")))
                link.sendall(talk.send(BytesMessage(data=b"x" * 300)))
            elif isinstance(event, TextMessage | BytesMessage):
                heard.append(len(event.data))
            elif isinstance(event, CloseConnection):
                return {"client": client, "heard": heard}
        if len(heard) == 2 and not sent:
            link.sendall(talk.send(CloseConnection(code=1000)))
            sent = True


def web2(address, trust):
    link, client = dial(address, 443, trust, alpn=("h2", "http/1.1"))
    talk = h2.connection.H2Connection()
    talk.initiate_connection()
    head = [(":method", "GET"), (":authority", HOST), (":scheme", "https"), (":path", "/two"), ("user-agent", "test/2")]
    talk.send_headers(1, head, end_stream=True)
    link.sendall(talk.data_to_send())
    body = b""
    while True:
        for event in talk.receive_data(link.recv(65536)):
            if isinstance(event, h2.events.DataReceived):
                body += event.data
            if isinstance(event, h2.events.StreamEnded):
                return {"client": client, "body": body.decode(), "alpn": link.selected_alpn_protocol()}


def pinned(address, trust):
    try:
        dial(address, 443, trust)
    except ssl.SSLCertVerificationError as fault:
        return {"refused": fault.verify_message}
    return {"refused": None}


def question(name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    options = struct.pack("!HHIH", 41, 1232, 0, 0)  # EDNS, RFC 6891
    return struct.pack("!6H", 4711, 0x0100, 1, 0, 0, 1) + labels + b"\0" + struct.pack("!HH", 1, 1) + b"\0" + options


def again(name, *pauses_s):
    """The same question from one port after each pause, each time from a new socket, as chance has it on a phone."""
    answered = []
    for pause_s in (0.0, *map(float, pauses_s)):
        time.sleep(pause_s)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(10)
            link.bind(("", 45_454))
            link.connect(("10.88.0.1", 53))
            link.send(question(name))
            try:
                answered.append(len(link.recv(65536)))
            except TimeoutError:
                answered.append(0)
    return {"client": [], "answered": answered}


def names(name):
    asked = question(name)
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.settimeout(20)
    link.connect(("10.88.0.1", 53))
    took = []
    for _ in range(20):
        begun = time.perf_counter()
        link.send(asked)
        heard = link.recv(65536)
        took.append(time.perf_counter() - begun)
    over_tcp, client = dial("10.88.0.1", 53)
    over_tcp.sendall(struct.pack("!H", len(asked)) + asked)
    same = read_all(over_tcp, 2 + len(heard)) == struct.pack("!H", len(heard)) + heard
    digests = [[len(data), hashlib.sha256(data).hexdigest()] for data in (asked, heard)]
    client = list(link.getsockname()[:2])
    return {"client": client, "said": digests[0], "got": digests[1], "tcp": same, "p50_ms": 1000 * sorted(took)[10]}


def shared(address, other, port):
    """Two connections at once from one port of the phone, to two servers."""
    clients, answers, links = [], [], []
    for place in (address, other):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        link.settimeout(30)
        link.bind(("", clients[0][1] if clients else 0))
        link.connect((place, int(port)))
        links.append(link)
        clients.append(list(link.getsockname()[:2]))
    for link, place in zip(links, (address, other), strict=True):
        link.sendall(f"GET /small HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        answers.append(len(read_answer(link)))
    return {"client": clients[0], "clients": clients, "answers": answers}


def greeted(address, port):
    link, client = dial(address, int(port))
    greeting = link.recv(65536).decode()
    link.sendall(b"quiet\r\n")
    heard = link.recv(65536).decode()
    link.shutdown(socket.SHUT_WR)
    return {"client": client, "greeting": greeting, "heard": heard, "end": link.recv(10).decode()}


def reached(address, port):
    try:
        link, _ = dial(address, int(port), timeout_s=3)
    except OSError as fault:
        return {"reached": False, "why": str(fault)}
    link.settimeout(3)
    try:
        link.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        return {"reached": bool(link.recv(100)), "why": ""}
    except OSError as fault:
        return {"reached": False, "why": str(fault)}


print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
