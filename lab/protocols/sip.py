"""SIP over UDP (RFC 3261): a registration with digest, then registrations or OPTIONS that keep it, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lab.protocols import Dialogue, Message, drawn, exchanges, filler_text, fresh, moved_behind

TRANSPORT = "udp"

_METHODS = ("REGISTER", "OPTIONS")
_KEEPALIVE = 4  # bytes: two empty lines, RFC 5626 section 4.4.1
_EXPIRES_S = 600
_LARGEST = 1_300  # bytes; beyond it RFC 3261 section 18.1.1 wants TCP
_SERVER_US = (2_000, 40_000)
_PHONE_US = (500, 5_000)
_MAGIC = "z9hG4bK"  # RFC 3261 section 8.1.1.7


@dataclass
class _Account:
    """Who registers where, and the numbers of requests so far."""

    user: str
    domain: str
    here: str  # the phone as it calls itself
    tags: tuple[str, str]
    calls: tuple[str, str]  # Call-ID of the phone's requests and of the server's
    nonce: str
    expires_s: int
    asked: int = 0
    asked_by_server: int = 0

    @property
    def address(self) -> str:
        return f"sip:{self.user}@{self.domain}"


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """REGISTER, 401, REGISTER with digest and 200 when the conversation opens, then the exchanges.

    At most 4 bytes ``up`` are two empty lines, which nobody answers; more a request and its 200. ``up`` = 0: the server
    asks for OPTIONS and the phone answers, on top of the sizes. What is shorter than asked is filled in a field of its
    own, 1300 bytes at most. Options: ``method`` of the phone's requests, REGISTER (default) or OPTIONS; ``user``;
    ``expires`` seconds (default 600). Without an exchange the registration is said only if the dialogue has a
    ``start``. ValueError: another method.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    method = dialogue.options.get("method", "REGISTER")
    if method not in _METHODS:
        raise ValueError(f"method {method!r}: known are {', '.join(_METHODS)}")
    account = _account(dialogue)
    time = dialogue.opened
    for login, status in (("", "401 Unauthorized"), (_login(dialogue, account), "200 OK")):
        request = _request(dialogue, account, "REGISTER", login)
        yield Message(time, True, _said(dialogue, request, 0))
        time += drawn(dialogue.rng, *_SERVER_US)
        yield Message(time, False, _said(dialogue, _answer(account, request, status), 0))
    yield from moved_behind(_talk(dialogue, account, method), time)


def _account(dialogue: Dialogue) -> _Account:
    rng = dialogue.rng
    user = dialogue.options.get("user", "") or str(drawn(rng, 1_000, 9_999))
    names = [fresh(rng, size).hex() for size in (6, 5, 5, 8, 8, 16)]
    here = f"{names[0]}.invalid"
    return _Account(
        user,
        dialogue.host,
        here,
        (names[1], names[2]),
        (f"{names[3]}@{here}", names[4]),
        names[5],
        int(dialogue.options.get("expires", _EXPIRES_S)),
    )


def _login(dialogue: Dialogue, account: _Account) -> str:
    """The Authorization field, RFC 3261 section 22.4; the response is drawn, as there is no password."""
    said = f'username="{account.user}", realm="{account.domain}", nonce="{account.nonce}", '
    response = fresh(dialogue.rng, 16).hex()
    return f'Digest {said}uri="sip:{account.domain}", response="{response}", algorithm=MD5'


def _talk(dialogue: Dialogue, account: _Account, method: str) -> Iterator[Message]:
    login = _login(dialogue, account)
    for time, up, down, delay in exchanges(dialogue):
        if 0 < up <= _KEEPALIVE:
            yield Message(time, True, b"\r\n" * 2)
            continue
        if up:
            request = _request(dialogue, account, method, login)
            yield Message(time, True, _said(dialogue, request, up))
            if down:
                yield Message(time + delay, False, _said(dialogue, _answer(account, request, "200 OK"), down))
        elif down:
            request = _asked_by_server(dialogue, account)
            yield Message(time + delay, False, _said(dialogue, request, down), pushed=True)
            took = drawn(dialogue.rng, *_PHONE_US)
            yield Message(time + delay + took, True, _said(dialogue, _answer(account, request, "200 OK"), 0))


def _request(dialogue: Dialogue, account: _Account, method: str, login: str) -> list[str]:
    account.asked += 1
    branch = _MAGIC + fresh(dialogue.rng, 6).hex()
    lines = [
        f"{method} sip:{account.domain} SIP/2.0",
        f"Via: SIP/2.0/UDP {account.here}:5060;branch={branch};rport",
        "Max-Forwards: 70",
        f"From: <{account.address}>;tag={account.tags[0]}",
        f"To: <{account.address}>",
        f"Call-ID: {account.calls[0]}",
        f"CSeq: {account.asked} {method}",
        f"Contact: <sip:{account.user}@{account.here}:5060>",
        f"User-Agent: {dialogue.agent}",
    ]
    lines += [f"Expires: {account.expires_s}"] if method == "REGISTER" else ["Accept: application/sdp"]
    return [*lines, f"Authorization: {login}"] if login else lines


def _asked_by_server(dialogue: Dialogue, account: _Account) -> list[str]:
    account.asked_by_server += 1
    return [
        f"OPTIONS sip:{account.user}@{account.here}:5060 SIP/2.0",
        f"Via: SIP/2.0/UDP {account.domain}:5060;branch={_MAGIC}{fresh(dialogue.rng, 6).hex()}",
        "Max-Forwards: 70",
        f"From: <sip:ping@{account.domain}>;tag={account.tags[1]}",
        f"To: <{account.address}>",
        f"Call-ID: {account.calls[1]}",
        f"CSeq: {account.asked_by_server} OPTIONS",
    ]


def _answer(account: _Account, request: list[str], status: str) -> list[str]:
    """Via, From, To, Call-ID and CSeq as asked (section 8.2.6), and what the status needs."""
    repeated = [line for line in request if line.startswith(("Via", "From", "Call-ID", "CSeq"))]
    to = next(line for line in request if line.startswith("To"))
    lines = [f"SIP/2.0 {status}", *repeated, f"{to};tag={account.tags[1]}"]
    if status.startswith("401"):
        return [*lines, f'WWW-Authenticate: Digest realm="{account.domain}", nonce="{account.nonce}", algorithm=MD5']
    if request[0].startswith("REGISTER"):
        return [*lines, f"Contact: <sip:{account.user}@{account.here}:5060>;expires={account.expires_s}"]
    return [*lines, "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE"]


def _said(dialogue: Dialogue, lines: list[str], size: int) -> bytes:
    """The lines as a message without a body, with an Organization (RFC 3261, 20.25) where it would be too short."""
    said = "".join(f"{line}\r\n" for line in lines).encode()
    room = min(size, _LARGEST, dialogue.room) - len(said) - len(b"Organization: \r\nContent-Length: 0\r\n\r\n")
    more = b"Organization: " + filler_text(dialogue.rng, room) + b"\r\n" if room > 0 else b""
    return said + more + b"Content-Length: 0\r\n\r\n"
