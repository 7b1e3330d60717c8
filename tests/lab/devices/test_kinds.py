"""Kinds of Android containers are data that says what it needs; this machine says what it has."""

from __future__ import annotations

import gzip

import pytest

from lab.devices import kinds
from lab.devices.kinds import Machine, kind, this_machine, why_not

ABLE = Machine(kvm=None, binder=True, lacking=0, memory_mb=16384)


@pytest.mark.parametrize("name", kinds.kinds())
def test_every_kind_runs_on_an_able_machine_and_says_why_not_on_none(name):
    wanted = kind(name)
    assert why_not(wanted, ABLE) == []
    unable = Machine(kvm="/dev/kvm is missing", binder=False, lacking=1 << 24, memory_mb=1)
    assert len(why_not(wanted, unable)) == len(wanted.needs) + 1
    assert set(wanted.needs) <= {"kvm", "binder", "privileged"}
    assert wanted.adb_port == 5555
    assert wanted.ready.startswith("getprop ")
    assert wanted.privileged == ("privileged" in wanted.needs)
    assert ("/dev/kvm" in wanted.devices) == ("kvm" in wanted.needs)


@pytest.mark.parametrize("name", [name for name in kinds.kinds() if name != "handset"])
def test_every_foreign_kind_can_be_told_of_a_proxy(name):
    plain, proxied = kind(name).run_arguments(), kind(name).run_arguments(("10.88.0.1", 8080))
    assert "10.88.0.1" not in str(plain)
    assert "10.88.0.1" in str(proxied)
    assert "8080" in str(proxied)
    assert "{" not in str([*proxied["environment"].values(), proxied["command"]])


def test_reasons_name_what_mends_them():
    missing = Machine(kvm="/dev/kvm is missing", binder=False, lacking=1 << 24, memory_mb=16384)
    assert why_not(kind("docker-android"), missing)[0].startswith("/dev/kvm is missing: the emulator needs KVM")
    reasons = why_not(kind("redroid"), missing)
    assert "modprobe binder_linux" in reasons[0]
    assert "capabilities 24 are out of reach" in reasons[1]


def test_an_unknown_kind_answers_with_the_known_ones():
    with pytest.raises(LookupError, match=r"known: handset, docker-android.*did you mean 'redroid'"):
        kind("redriod")


def test_a_machine_is_read_from_its_files(tmp_path):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/self/status").write_text("Name:\tx\nCapBnd:\t000001fffeffffff\n")
    (tmp_path / "proc/sys/kernel/cap_last_cap").write_text("40\n")
    (tmp_path / "proc/meminfo").write_text("MemTotal:       2048000 kB\n")
    (tmp_path / "proc/filesystems").write_text("nodev\tsysfs\n")
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(b"# CONFIG_ANDROID_BINDER_IPC is not set\n"))
    missing = f"{tmp_path}/dev/kvm is missing"
    assert this_machine(tmp_path) == Machine(missing, binder=False, lacking=1 << 24, memory_mb=2000)
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(b"CONFIG_ANDROID_BINDER_IPC=m\n"))
    assert this_machine(tmp_path).binder
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kvm").write_text("no device")
    assert "makes no virtual machine" in this_machine(tmp_path).kvm


def test_this_machine_can_be_asked():
    assert this_machine().memory_mb > 0
