"""What mitmproxy's flows and messages say, as fields of an event; sizes of heads and bodies as they are sent."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from mitmproxy import dns, http
from mitmproxy.net.http import http1

from lab.stages.live.gateway.image.events import LAST_CHUNK, Relayed, chunk_size, now_us, us


def counter(tally: Relayed, *, chunked: bool, from_client: bool) -> Callable[[bytes], bytes]:
    """What mitmproxy is to pass a body's pieces through: counts them as framed, the last one being empty."""

    def count(data: bytes) -> bytes:
        size = (chunk_size(len(data)) or LAST_CHUNK) if chunked else len(data)
        tally.count(size, from_client=from_client)
        return data

    return count


def request_head_size(request: http.Request) -> int:
    """Bytes of the head in HTTP/1.1 text, which is what is on the wire unless it is HTTP/2."""
    if not request.is_http2:
        return len(http1.assemble_request_head(request))
    host = len(f"host: {request.authority}\r\n") if request.authority else 0
    line = len(request.method) + len(request.data.path) + len("  HTTP/1.1\r\n")
    return line + host + len(bytes(request.headers)) + 2


def response_head_size(response: http.Response) -> int:
    """Bytes of the head in HTTP/1.1 text, which is what is on the wire unless it is HTTP/2."""
    return len(http1.assemble_response_head(response))


def read_http(flow: http.HTTPFlow, *, unfinished: bool) -> dict[str, Any]:
    """What was asked and answered, and when."""
    request, response = flow.request, flow.response
    end_us = us(response.timestamp_end if response else None)
    return {
        "request_end_us": us(request.timestamp_end),
        "answer_us": us(response.timestamp_start if response else None),
        "end_us": None if unfinished else end_us or now_us(),
        "version": request.http_version,
        "method": request.method,
        "path": request.path,
        "host": request.headers.get("host") or request.authority or None,
        "user_agent": request.headers.get("user-agent"),
        "status": response.status_code if response else None,
    }


def read_dns(message: bytes) -> dict[str, Any]:
    """What a message asks and answers; nothing where mitmproxy cannot read it."""
    try:
        read = dns.DNSMessage.unpack(message)
    except (struct.error, ValueError, IndexError):
        return {"qname": None, "qtype": None, "answers": None}
    question = read.questions[0] if read.questions else None
    qname = None if question is None else question.name
    qtype = None if question is None else dns.types.to_str(question.type)
    return {"qname": qname, "qtype": qtype, "answers": [str(answer) for answer in read.answers]}
