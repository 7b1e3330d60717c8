"""The words that open a socket as an app, on every kind of device."""

from __future__ import annotations

import pytest

from lab.devices.capabilities import parse_capabilities
from lab.devices.errors import DeviceError
from lab.devices.netcat import as_app, connect_command, kill_command, listen_command

SWITCHES = {"setpriv": "setpriv", "su": "su", "su -c": "su -c"}


def device(switch="setpriv", flags="lquwW"):
    said = {switch: "10999"} if switch in SWITCHES else {switch: "/system/bin/run-as"}
    said["netcat"] = "".join(f"-{flag}\tx\n" for flag in flags)
    return parse_capabilities("s", "".join(f"==droidrange {name}\n{text}\n=0\n" for name, text in said.items()))


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        (
            "setpriv",
            "exec setpriv --reuid 10123 --regid 10123 --clear-groups --inh-caps=-all --no-new-privs toybox nc -w 10 198.18.0.1 443",
        ),
        ("su", "exec su 10123 toybox nc -w 10 198.18.0.1 443"),
        ("su -c", "exec su 10123 -c 'toybox nc -w 10 198.18.0.1 443'"),
        ("run-as usage", "exec run-as com.example.a toybox nc -w 10 198.18.0.1 443"),
    ],
)
def test_every_way_to_a_uid(switch, words):
    command = connect_command(device(switch), 10123, "com.example.a", "198.18.0.1", 443)
    assert command == f'echo "pid $$" >&2; {words}'


def test_udp_leaves_when_its_stdin_ends_and_tcp_waits_for_its_peer():
    udp = connect_command(device("su"), 10123, "a.b", "198.18.0.1", 53, udp=True, idle_s=30)
    assert udp.endswith("toybox nc -u -w 10 -W 30 -q 1 198.18.0.1 53")
    assert "-q" not in connect_command(device("su"), 10123, "a.b", "198.18.0.1", 53)


def test_listening_is_bounded():
    command = listen_command(device("su"), 10123, "a.b", 8080, address="10.88.0.9", wait_s=60)
    assert command.endswith("toybox nc -w 60 -s 10.88.0.9 -p 8080 -l")
    assert kill_command(device("su"), 10123, "a.b", 77) == "exec su 10123 toybox kill 77"


def test_an_old_nc_gets_only_the_flags_it_has():
    assert connect_command(device("su", "l"), 10123, "a.b", "::1", 1, idle_s=9).endswith("toybox nc ::1 1")
    with pytest.raises(DeviceError, match="no -u"):
        connect_command(device("su", "l"), 10123, "a.b", "198.18.0.1", 53, udp=True)


def test_what_a_device_cannot_is_said():
    with pytest.raises(DeviceError, match="no conversation can be opened at all"):
        connect_command(device(flags=""), 10123, "a.b", "198.18.0.1", 53)
    with pytest.raises(DeviceError, match="under an app's uid"):
        as_app(parse_capabilities("s", ""), 10123, "a.b", ["id"])


@pytest.mark.parametrize(
    ("uid", "package", "address", "port"),
    [
        (10123, "a.b; reboot", "198.18.0.1", 1),
        (0, "a.b", "198.18.0.1", 1),
        (10123, "a.b", "host.example; id", 1),
        (10123, "a.b", "198.18.0.1", 0),
        (10123, "a.b", "198.18.0.1", 65536),
    ],
)
def test_nothing_foreign_reaches_the_devices_shell(uid, package, address, port):
    with pytest.raises(ValueError):
        connect_command(device(), uid, package, address, port)
