"""The filter that keeps AF_VSOCK from the phone, run instruction by instruction as the kernel would."""

import struct
from pathlib import Path

import pytest

FILTER = Path(__file__).parents[5] / "lab/stages/live/handset/image/system/etc/no-vsock.hex"
ALLOW, EAFNOSUPPORT = 0x7FFF0000, 0x00050061  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO | 97
X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003  # AUDIT_ARCH_*
INET, UNIX, VSOCK = 2, 1, 40


def program():
    text = "".join(line.partition("#")[0] for line in FILTER.read_text().splitlines())
    return list(struct.iter_unpack("<HBBI", bytes.fromhex(text)))


def verdict(architecture, call, argument=0):
    """What the filter answers to a system call (seccomp_data: nr, arch, instruction pointer, args)."""
    seen = struct.pack("<IIQQ", call, architecture, 0, argument)
    steps, at, value = program(), 0, 0
    while True:
        code, if_true, if_false, constant = steps[at]
        at += 1
        if code == 0x20:
            value = struct.unpack_from("<I", seen, constant)[0]
        elif code in (0x15, 0x35):
            holds = value == constant if code == 0x15 else value >= constant
            at += if_true if holds else if_false
        else:
            assert code == 0x06
            return constant


@pytest.mark.parametrize(("architecture", "socket"), [(X86_64, 41), (AARCH64, 198)])
def test_sockets_of_every_family_but_one(architecture, socket):
    assert verdict(architecture, socket, VSOCK) == EAFNOSUPPORT
    assert {verdict(architecture, socket, family) for family in range(46) if family != VSOCK} == {ALLOW}


@pytest.mark.parametrize("architecture", [X86_64, AARCH64])
def test_every_other_call_but_the_one_that_makes_sockets_too(architecture):
    calls = {call for call in range(460) if verdict(architecture, call, VSOCK) == EAFNOSUPPORT}
    assert calls == {425, {X86_64: 41, AARCH64: 198}[architecture]}


def test_no_way_round_by_another_calling_convention():
    assert verdict(X86_64, 0x40000000 + 41, VSOCK) == EAFNOSUPPORT  # x32
    assert verdict(I386, 359, VSOCK) == EAFNOSUPPORT
    assert verdict(I386, 102, VSOCK) == EAFNOSUPPORT  # socketcall
