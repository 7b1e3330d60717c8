"""Netlink sockets without a kernel: what waits, what is left out, what is answered or refused."""

from __future__ import annotations

import errno
import struct

import pytest

from lab.stages.live.topology.image import conntrack
from lab.stages.live.topology.image.kernel import Feed, Questions, ask
from lab.stages.live.topology.image.netlink import NLMSG_DONE, NLMSG_ERROR, messages, pack

ENDS = ("10.88.1.2", 40000), ("198.18.5.5", 53)


class Kernel:
    """A socket whose datagrams are given; an errno among them is raised."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []

    def recv(self, _size):
        if not self.replies:
            raise BlockingIOError
        reply = self.replies.pop(0)
        if isinstance(reply, int):
            raise OSError(reply, "netlink")
        return reply

    def send(self, request):
        self.asked.append(request)

    def settimeout(self, _seconds):
        pass


def error(code):
    return pack(NLMSG_ERROR, 0, struct.pack("=i", -code) + bytes(16))


def feed(*replies):
    made = Feed.__new__(Feed)
    made.name, made.overruns, made.socket = "packets", 0, Kernel(*replies)
    return made


def test_everything_that_waits_is_read_and_what_was_left_out_is_counted():
    waiting = feed(pack(1, 0, b"aaaa") + pack(2, 0, b"bbbb"), errno.ENOBUFS, pack(3, 0, b"cccc"), errno.ENOBUFS)
    assert [one.kind for one in waiting.waiting()] == [1, 2, 3]
    assert waiting.overruns == 2
    assert list(waiting.waiting()) == []


def test_another_fault_of_the_socket_is_not_swallowed():
    with pytest.raises(OSError, match="netlink"):
        list(feed(errno.EBADF).waiting())


def test_an_answer_ends_with_done_or_an_acknowledgement():
    assert [one.kind for one in ask(Kernel(pack(20, 0, b"x") + pack(20, 0, b"y"), pack(NLMSG_DONE, 0, b"")), b"?")] == [
        20,
        20,
    ]
    assert ask(Kernel(error(0)), b"?") == []


def test_a_refusal_has_the_kernel_s_number():
    with pytest.raises(PermissionError, match="EPERM"):
        ask(Kernel(error(errno.EPERM)), b"?")


def questions(*replies):
    made = Questions.__new__(Questions)
    made._diag = made._flows = Kernel(*replies)
    return made


def test_a_flow_is_taken_asked_for_and_then_forgotten():
    (request,) = messages(conntrack.get_request(*ENDS))
    asking = questions(pack(0x100, 0, request.body), error(0), error(0))
    assert asking.take_flow(*ENDS).source == ENDS[0]
    assert [next(messages(one)).kind for one in asking._flows.asked] == [0x101, 0x102]


def test_a_flow_that_is_not_there_is_none_and_any_other_refusal_is_one():
    assert questions(error(errno.ENOENT)).take_flow(*ENDS) is None
    with pytest.raises(PermissionError):
        questions(error(errno.EPERM)).take_flow(*ENDS)


def test_listeners_of_both_families_are_asked_for():
    heard = bytes([2, 10, 0, 0]) + struct.pack(">HH", 1080, 0) + bytes(44) + struct.pack("=IIIII", 0, 0, 0, 10200, 0)
    asking = questions(pack(20, 0, heard), pack(NLMSG_DONE, 0, b""), pack(NLMSG_DONE, 0, b""))
    assert [(one.local, one.uid) for one in asking.listeners("tcp")] == [(("0.0.0.0", 1080), 10200)]
    assert [next(messages(one)).body[0] for one in asking._diag.asked] == [2, 10]
