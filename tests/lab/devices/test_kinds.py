"""Kinds of Android containers are data that says what it needs; this machine says what it has."""

from __future__ import annotations

import gzip
import os

import pytest

from lab.devices import kinds
from lab.devices.kinds import Lack, Machine, kind, this_machine, why_not

NO_KVM = Lack("no /dev/kvm", "modprobe kvm_intel")
ABLE = Machine(kvm=None, binder=True, lacking=0, memory_mb=16384)


@pytest.mark.parametrize("name", kinds.kinds())
def test_every_kind_runs_on_an_able_machine_and_says_why_not_on_none(name):
    wanted = kind(name)
    assert why_not(wanted, ABLE) == []
    unable = Machine(kvm=NO_KVM, binder=False, lacking=1 << 24, memory_mb=1)
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
    missing = Machine(kvm=NO_KVM, binder=False, lacking=1 << 24, memory_mb=16384)
    assert why_not(kind("docker-android"), missing) == [NO_KVM]
    binder, privileged = why_not(kind("redroid"), missing)
    assert binder.mend.startswith("modprobe binder_linux")
    assert "capabilities 24 are out of reach" in privileged.why


@pytest.mark.parametrize("fault", [None, OSError(95, "Operation not supported")])
def test_a_device_that_makes_no_machine_is_no_kvm(monkeypatch, tmp_path, fault):
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kvm").touch()
    opened = []

    def create(device, request, _argument):
        assert request == 0xAE01
        opened.append(device)
        if fault:
            raise fault
        opened.append(os.dup(device))
        return opened[-1]

    monkeypatch.setattr(kinds.fcntl, "ioctl", create)
    lack = this_machine(tmp_path).kvm
    assert (lack is None) is (fault is None)
    assert lack is None or "makes no virtual machine (Operation not supported)" in lack.why
    for number in opened:  # all closed again
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(number)


def test_a_device_of_somebody_else_names_its_group(monkeypatch, tmp_path):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(kinds.os, "open", refuse)
    lack = this_machine(tmp_path).kvm
    assert lack.why.endswith("Permission denied")
    assert "usermod -aG kvm" in lack.mend


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
    found = this_machine(tmp_path)
    assert found.kvm.why.startswith(f"no {tmp_path}/dev/kvm: ")
    assert found == Machine(found.kvm, binder=False, lacking=1 << 24, memory_mb=2000)
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(b"CONFIG_ANDROID_BINDER_IPC=m\n"))
    assert this_machine(tmp_path).binder
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kvm").write_text("no device")
    assert "makes no virtual machine" in this_machine(tmp_path).kvm.why


def test_this_machine_can_be_asked():
    assert this_machine().memory_mb > 0
