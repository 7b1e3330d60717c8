"""The handset in its container, asked by the stock adb client and by our own."""

import errno
import re
import subprocess
import time
from contextlib import suppress
from ipaddress import IPv4Network

import pytest

from lab.devices.adb import AdbServer, adb_program
from lab.devices.errors import DeviceError
from lab.devices.phone import Phone
from lab.stages.live.engine import connect, ensure_images, image_tag, open_session, sweep
from lab.stages.live.handset.handset import (
    ADB_PORT,
    ROLE,
    SDKS,
    provision_command,
    relay_start_command,
    relay_stop_command,
    run_arguments,
    write_hosts,
)
from lab.timeline import POWER_STATES, App

pytestmark = pytest.mark.live
CHAT, GAME = "com.a.chat", "com.b.game"
APPS = [App(0, CHAT, "Chat", "social", 10123, True, (), "", 0), App(0, GAME, "Game", "games", 10124, True, (), "", 0)]
READY_S = 60.0  # of every wait: it ends a hang, and judges no speed


class Lab:
    """Three handsets, one of each release, on a network of their own."""

    def __init__(self, engine, session, adb):
        self.engine, self.session, self.adb = engine, session, adb
        self.containers, self.addresses = {}, {}
        network = engine.network(session)
        subnet = IPv4Network(network.attrs["IPAM"]["Config"][0]["Subnet"])
        for number, sdk in enumerate(SDKS):
            address = str(subnet[10 + number])
            write_hosts(self.hosts(sdk), {})
            settings = run_arguments(address=address, hosts=self.hosts(sdk), serial=f"phone-{sdk}", sdk=sdk)
            name = f"handset-{sdk}"
            self.containers[sdk] = engine.run(session, ROLE, image_tag(ROLE), name, network=network.name, **settings)
            self.addresses[sdk] = address

    def hosts(self, sdk):
        return self.session.folder / f"{sdk}.hosts"

    def phone(self, sdk):
        phone = Phone(self.adb.address, _connected(self.adb, f"{self.addresses[sdk]}:{ADB_PORT}"))
        phone.wait_ready(READY_S)
        phone.shell(provision_command(APPS))
        return phone


def _connected(adb, address):
    """adbd needs a moment after its container: an early connection is refused, and asked again."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        with suppress(DeviceError):
            return adb.connect(address)
        time.sleep(0.1)
    return adb.connect(address)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    engine = connect()
    ensure_images(engine, print, roles=[ROLE])
    session = open_session()
    try:
        with AdbServer.start(tmp_path_factory.mktemp("adb")) as adb:
            yield Lab(engine, session, adb)
    finally:
        sweep(engine, [session.id])
        engine.close()


@pytest.fixture(params=SDKS)
def shell(request, lab):
    return lab.phone(request.param)


@pytest.fixture
def phone(lab):
    return lab.phone(33)


def stock(lab, serial, *words):
    """The adb program itself, on our server."""
    return subprocess.run(
        [str(adb_program()), "-P", str(lab.adb.address[1]), "-s", serial, *words],
        capture_output=True,
        text=True,
        timeout=READY_S,
        check=False,
    )


def test_the_stock_client_asks_power_packages_and_properties(lab, shell):
    power = stock(lab, shell.serial, "shell", "dumpsys power")
    assert (power.returncode, power.stderr) == (0, "")
    assert "mWakefulness=Awake" in power.stdout
    packages = stock(lab, shell.serial, "shell", "pm list packages -U").stdout.splitlines()
    assert {f"package:{CHAT} uid:10123", f"package:{GAME} uid:10124"} < set(packages)
    assert stock(lab, shell.serial, "shell", "getprop", "ro.build.version.sdk").stdout.strip() in map(str, SDKS)


def test_exit_codes_and_errors_pass(lab, phone):
    done = stock(lab, phone.serial, "shell", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_files_are_pushed_and_pulled(lab, phone, tmp_path):
    (tmp_path / "sent").write_bytes(bytes(range(256)) * 4000)
    assert stock(lab, phone.serial, "push", str(tmp_path / "sent"), "/data/local/tmp/file").returncode == 0
    assert stock(lab, phone.serial, "pull", "/data/local/tmp/file", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_bytes() == (tmp_path / "sent").read_bytes()


def test_a_package_is_installed_by_the_stock_client(lab, phone, tmp_path):
    (tmp_path / "org.new.thing.apk").write_bytes(b"PK\x03\x04")
    done = stock(lab, phone.serial, "install", "--no-streaming", str(tmp_path / "org.new.thing.apk"))
    assert "Success" in done.stdout + done.stderr
    assert ("org.new.thing", 10125) in phone.inventory()


@pytest.mark.parametrize("power", POWER_STATES)
def test_every_state_is_brought_about_and_read(shell, power):
    lit = power == "interactive"
    shell.set_state(screen_on=True, locked=False, foreground=CHAT, power="interactive", interaction=True)
    reading = shell.read_state()
    assert (reading.screen_on, reading.locked, reading.foreground) == (True, False, CHAT)
    shell.set_state(screen_on=lit, locked=True, foreground=None, power=power, interaction=lit)
    reading = shell.read_state()
    assert (reading.screen_on, reading.locked, reading.foreground) == (lit, True, None)
    assert reading.power_state == power
    assert 0 <= reading.time_us - reading.last_interaction_us < READY_S * 1e6


def test_a_change_is_seen_in_every_dump(shell):
    shell.set_state(screen_on=True, locked=False, foreground=GAME, power="interactive", interaction=True)
    said = shell.shell("dumpsys window; dumpsys activity activities; dumpsys activity processes; dumpsys usagestats")
    assert re.search(rf"mCurrentFocus=Window\{{\w+ u0 {GAME}/", said)
    assert re.search(rf"esumedActivity[=:] ?ActivityRecord\{{\w+ u0 {GAME}/", said)
    assert re.search(rf":{GAME}/u0a124 \(top-activity\)", said)
    assert re.search(rf"type=ACTIVITY_RESUMED package={GAME} ", said)


def test_what_runs_as_an_app_has_its_uid_and_no_capability(phone):
    for switch in ("setpriv --reuid 10123 --regid 10123 --clear-groups", "su 10123", f"run-as {CHAT}"):
        status = phone.shell(f"{switch} cat /proc/self/status")
        assert re.search(r"^Uid:\t10123\t10123\t10123\t10123$", status, re.MULTILINE)
        assert re.search(r"^Groups:\s*(10123)?\s*$", status, re.MULTILINE)
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
        assert re.search(r"^CapPrm:\t0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    # the control: adbd's own children have the two, and only the two, that start apps
    assert re.search(r"^CapEff:\t0+c0$", phone.shell("cat /proc/self/status"), re.MULTILINE)


def test_an_app_gets_no_further(phone):
    assert phone.run("touch /x")[0] == 1
    assert "Read-only file system" in phone.run("touch /x; touch /system/bin/x")[2]
    for attempt in ("touch /data/x", "cat /data/system/state", "su 0 id", "kill 1", "ip link set lo down"):
        code, out, _ = phone.run(f"su 10123 sh -c '{attempt}'")
        assert (code != 0, out) == (True, ""), attempt
    assert "Permission Denial" in phone.run("su 10123 dumpsys power")[2]
    assert phone.shell("find / -xdev -perm /6000 -type f") == ""


ASK_VSOCK = """
import socket, sys
try:
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
except OSError as fault:
    sys.exit(fault.errno)
"""


def test_nothing_on_the_phone_gets_a_socket_beyond_its_network_namespace(lab, phone):
    """The phone has no Python: its own filter, taken from it, is asked in the base image, and without it as control."""
    assert re.search(r"^Seccomp_filters:\t[2-9]", phone.shell("su 10123 cat /proc/self/status"), re.MULTILINE)
    kept = lab.session.folder / "no-vsock.bpf"
    kept.write_bytes(phone.pull("/system/etc/no-vsock.bpf"))
    filtered = ["setpriv", "--no-new-privs", "--seccomp-filter", "/filter"]
    codes = []
    for name, before in (("filtered", filtered), ("control", [])):
        words = [*before, "python3", "-c", ASK_VSOCK]
        mounts = {str(kept): {"bind": "/filter", "mode": "ro"}}
        probe = lab.engine.run(lab.session, "probe", image_tag("base"), name, command=words, volumes=mounts)
        codes.append(probe.wait(timeout=READY_S)["StatusCode"])
    assert codes[0] == errno.EAFNOSUPPORT
    if codes[1]:
        pytest.skip("this engine or kernel keeps AF_VSOCK from every container: nothing to compare with")


def running(phone, pattern, *, wanted=True):
    """The phone's programs, once a line of them is as the pattern has it, or none is any more."""
    until = time.monotonic() + READY_S
    while bool(re.search(pattern, found := phone.shell("toybox ps -A -o UID,CMD"), re.MULTILINE)) != wanted:
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


def test_force_stop_ends_what_runs_under_the_uid_and_nothing_else(phone):
    phone.shell("for uid in 10123 10124; do su $uid sleep 100 </dev/null >/dev/null 2>&1 & done")
    for uid in (10123, 10124):
        running(phone, rf"^ *{uid} sleep")
    phone.shell(f"am start -n {CHAT}/.Main && am force-stop {CHAT}")
    left = running(phone, r"^ *10123 ", wanted=False)
    assert re.search(r"^ *10124 sleep", left, re.MULTILINE)
    phone.shell(f"am force-stop {GAME}")


def test_names_of_the_hosts_file_are_known_at_once_and_no_others(lab, phone):
    write_hosts(lab.hosts(33), {"www.lab.example": "198.18.0.9"})
    assert phone.shell("su 10123 getent hosts www.lab.example").split() == ["198.18.0.9", "www.lab.example"]
    began = time.monotonic()
    assert phone.run("su 10123 getent hosts other.lab.example")[0] == 2
    assert time.monotonic() - began < 5  # no resolver was waited for: that takes as long, see resolv.conf(5)
    write_hosts(lab.hosts(33), {})


def test_proxies_run_as_their_app_and_leave_nothing(lab, phone):
    """Both reach, by name, a server on the phone itself; the name is in /etc/hosts alone."""
    write_hosts(lab.hosts(33), {"www.lab.example": "127.0.0.1"})
    phone.shell(relay_start_command("socks5", 10123, 1080))
    phone.shell(relay_start_command("connect", 10124, 8080))
    assert [line.split()[:2] for line in phone.shell("relay list").splitlines()] == [
        ["1080", "10123"],
        ["8080", "10124"],
    ]
    running = phone.shell("toybox ps -A -o UID,CMD")
    assert re.search(r"^ *10123 microsocks", running, re.MULTILINE)
    assert re.search(r"^ *10124 tinyproxy", running, re.MULTILINE)
    # microsocks reads one message at a time: a request sent along with the greeting would be lost
    asking = r"printf '\005\001\000'; sleep 1; printf '\005\001\000\003\017www.lab.example\043\051'"
    answer = phone.shell(_through(phone, 9001, asking, 1080), READY_S)
    assert answer.startswith("\x05\x00\x05\x00")
    assert answer.endswith("hello")
    answer = phone.shell(
        _through(phone, 9001, r"printf 'CONNECT www.lab.example:9001 HTTP/1.1\r\n\r\n'", 8080), READY_S
    )
    assert answer.startswith("HTTP/1.1 200 ")
    assert answer.endswith("hello")
    phone.shell(relay_stop_command(1080))
    phone.shell(relay_stop_command())
    left = phone.shell("relay list; toybox ps -A -o UID,CMD; ls /data/local/tmp")
    assert "microsocks" not in left
    assert "tinyproxy" not in left
    write_hosts(lab.hosts(33), {})


def _listening(port):
    """Shell words that wait until somebody listens on the port; a command's own bound ends them."""
    return f"until grep -q ':{port:04X} 0*:0000 0A' /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done"


def _through(phone, port, opening, proxy):
    """A server that says hello, and a client that opens ``proxy`` with ``opening`` and tells what it hears."""
    return (
        f"(echo -n hello | nc -W 20 -p {port} -s 127.0.0.1 -l >/dev/null 2>&1 &) ; {_listening(port)}; "
        f"({opening}; sleep 2) | timeout 30 nc -W 5 127.0.0.1 {proxy}"
    )


def test_a_port_that_is_taken_is_a_fault(phone):
    phone.shell(f"(nc -W 20 -w 60 -p 9002 -l </dev/null >/dev/null 2>&1 &) ; {_listening(9002)}")
    code, _, said = phone.run(relay_start_command("socks5", 10123, 9002))
    assert code == 1
    assert "port 9002" in said
    assert "microsocks" not in phone.shell("toybox ps -A -o CMD")


def test_an_idle_handset_is_small(lab):
    stats = lab.containers[35].stats(stream=False)["memory_stats"]
    used = stats["usage"] - stats["stats"].get("total_inactive_file", stats["stats"].get("inactive_file", 0))
    assert used <= 5 << 20
