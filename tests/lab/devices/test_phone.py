"""A phone's calls against a scripted adb server: what is asked, what the answers become, what fails how."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lab.devices.errors import DeviceError
from lab.devices.phone import Phone
from lab.devices.reading import READ_COMMAND

ON = {"screen_on": True, "locked": False, "foreground": None, "power": "interactive", "interaction": False}


@pytest.fixture
def phone(fake_adb, serial):
    return Phone(fake_adb.address, serial)


def test_a_shell_command_has_code_stdout_and_stderr(fake_adb, phone):
    fake_adb.shell = lambda _command: (b"out \xff", b"err", 3)
    assert phone.run("x") == (3, "out �", "err")
    with pytest.raises(DeviceError, match=r"'x': exit code 3: err"):
        phone.shell("x")
    fake_adb.shell = lambda command: (command.encode(), b"warning", 0)
    assert phone.shell("echo hi") == "echo hi"


def test_a_command_cut_off_is_no_success(fake_adb, phone):
    fake_adb.hooks["shell,v2,raw:"] = lambda connection: connection.sendall(b"OKAY" + b"\x01\x03\x00\x00\x00abc")
    with pytest.raises(DeviceError, match=r"before an exit code|connection lost"):
        phone.run("true")
    fake_adb.hooks["shell,v2,raw:"] = lambda connection: connection.sendall(b"OKAY" + b"\xee" * 10)
    with pytest.raises(DeviceError, match="no shell frame"):
        phone.run("true")


def test_a_command_that_hangs_ends_at_its_deadline(fake_adb, phone):
    fake_adb.hooks["shell,v2,raw:"] = lambda connection: [
        connection.sendall(b"OKAY"),
        *iter(lambda: connection.recv(99), b""),
    ]
    with pytest.raises(DeviceError, match=r"no answer within 0\.05 s"):
        phone.run("sleep 99", 0.05)


def test_boot_is_waited_for_and_named_when_it_does_not_come(fake_adb, phone, monkeypatch):
    monkeypatch.setattr("lab.devices.phone._POLL_S", 0.001)
    answers = iter([b"\n", b"0\n", b"1\n"])
    fake_adb.shell = lambda _command: (next(answers), b"", 0)
    phone.wait_ready(5)
    fake_adb.shell = lambda _command: (b"0\n", b"", 0)
    with pytest.raises(DeviceError, match=r"sys\.boot_completed is '0'"):
        phone.wait_ready(0.05)
    with pytest.raises(DeviceError, match="not found"):
        Phone(fake_adb.address, "nope").wait_ready(0.05)


def test_inventory_asks_all_users_and_falls_back(fake_adb, phone):
    fake_adb.shell = lambda _command: (b"package:a.b uid:10001,1010001\n", b"", 0)
    assert phone.inventory() == [("a.b", 10001), ("a.b", 1010001)]
    old = {"pm list packages -U": (b"package:a.b uid:10001\n", b"", 0)}
    fake_adb.shell = lambda command: old.get(command, (b"", b"Error: unknown option", 255))
    assert phone.inventory() == [("a.b", 10001)]


def test_states_are_told_by_what_differs(fake_adb, phone):
    phone.set_state(**ON)
    assert "KEYCODE_WAKEUP" in fake_adb.commands[-1]
    asked = len(fake_adb.commands)
    phone.set_state(**ON)
    assert len(fake_adb.commands) == asked
    phone.set_state(**ON | {"interaction": True})
    assert fake_adb.commands[-1] == "input keyevent KEYCODE_SHIFT_LEFT"


def test_a_state_that_failed_is_told_anew_from_nothing(fake_adb, phone):
    phone.set_state(**ON)
    fake_adb.shell = lambda _command: (b"Starting: Intent\nError: Activity not started\n", b"", 0)
    with pytest.raises(DeviceError, match="Activity not started"):
        phone.set_state(**ON | {"foreground": "no.such"})
    fake_adb.shell = lambda _command: (b"", b"", 0)
    phone.set_state(**ON)
    assert "KEYCODE_WAKEUP" in fake_adb.commands[-1]


def test_a_reading_is_one_round_trip(fake_adb, phone):
    fake_adb.shell = lambda _command: (
        b"==droidrange date\n1790000000.5 +0000\n==droidrange power\n mWakefulness=Awake\n",
        b"",
        0,
    )
    reading = phone.read_state()
    assert fake_adb.commands == [READ_COMMAND]
    assert (reading.screen_on, reading.power_state, reading.time_us) == (True, "interactive", 1_790_000_000_500_000)
    assert reading.clock_offset_us is not None
    assert reading.clock_doubt_us >= 0


def test_a_clock_that_cannot_be_read_has_no_offset(fake_adb, phone):
    fake_adb.shell = lambda _command: (b"1790000000.N\n", b"", 0)
    assert phone.clock_offset() is None
    fake_adb.shell = lambda _command: (b"1000.5\n", b"", 0)
    offset, doubt = phone.clock_offset()
    assert offset < -1e15
    assert doubt >= 0
    fake_adb.shell = lambda _command: (b"", b"", 127)
    caps = phone.capabilities()
    assert caps.clock_offset_us is None
    assert {what for what, _ in caps.missing} >= {"root", "uid_switch", "netcat", "clock"}


def test_without_root_no_ca_is_installed(fake_adb, phone):
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab CA")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day)
    pem = built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    fake_adb.shell = lambda _command: (b"==droidrange sdk\n34\n=0\n", b"", 0)
    with pytest.raises(DeviceError, match="no root"):
        phone.install_ca(pem)
