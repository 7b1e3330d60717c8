import os
import sys

import pytest

from lab import doctor
from lab.errors import PrerequisiteError
from lab.stages.live import engine as live


def found():
    return {check.name: check for check in doctor.checks()}


def test_this_environment_has_what_the_embedded_default_needs():
    lacks = [check.name for check in doctor.checks() if check.required and not check.ok]
    assert lacks == []


def test_a_missing_tool_names_the_command_that_mends_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    checks = found()
    assert not checks["tshark"].ok
    assert not checks["tshark"].required
    assert "apt-get install tshark" in checks["tshark"].mend


def test_a_missing_package_is_a_lack(monkeypatch):
    monkeypatch.setattr(doctor, "BASE_PACKAGES", ("no-such-package",))
    lack = next(check for check in doctor.checks() if check.name == "no-such-package")
    assert lack.required
    assert not lack.ok
    assert lack.mend


def test_every_lack_has_a_mend():
    assert [check.name for check in doctor.checks() if not check.ok and not check.mend] == []


def test_without_the_extra_nothing_asks_for_an_engine(monkeypatch):
    monkeypatch.setattr(doctor, "LIVE_PACKAGES", ("docker", "no-such-package"))
    checks = found()
    assert checks["extra live"].mend == "pip install 'droidrange[live]'"
    assert checks["extra live"].found == "no-such-package absent"
    assert "docker engine" not in checks


def test_an_engine_out_of_reach_is_told_with_its_mend(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    check = found()["docker engine"]
    assert not check.ok
    assert not check.required
    assert check.found.endswith("none.sock: no Docker engine")
    assert check.mend.startswith("apt-get install docker.io")


class Reached:
    """An engine as doctor sees it."""

    version = "20.10.24"
    closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def reached(monkeypatch):
    made = Reached()
    monkeypatch.setattr(live, "connect", lambda: made, raising=False)
    monkeypatch.setattr(live, "source_of_debian", lambda _engine: "mmdebstrap makes it", raising=False)
    monkeypatch.setattr(live, "images_missing", lambda _engine: [], raising=False)
    monkeypatch.setattr(live, "find_labs", lambda _engine: [], raising=False)
    return made


def lab(name, *, wanted):
    return type("Lab", (), {"id": name, "wanted": lambda _self, _now: wanted})()


def test_an_engine_with_all_it_needs(reached):
    checks = found()
    names = ("docker engine", "debian image", "live images", "left-overs")
    assert [checks[name].ok for name in names] == [True] * 4
    assert checks["docker engine"].found == "Docker 20.10.24"
    assert checks["left-overs"].found == "none (0 in use)"
    assert reached.closed


def test_each_lack_on_an_engine_names_its_command(reached, monkeypatch):
    monkeypatch.setattr(live, "source_of_debian", lambda _engine: "")
    monkeypatch.setattr(live, "images_missing", lambda _engine: ["base", "gateway"])
    monkeypatch.setattr(
        live, "find_labs", lambda _engine: [lab("0badcafe", wanted=False), lab("cafe0bad", wanted=True)]
    )
    checks = found()
    assert "apt-get install mmdebstrap" in checks["debian image"].mend
    assert checks["live images"].found == "to be built: base, gateway"
    assert "droidrange lab up" in checks["live images"].mend
    assert (checks["left-overs"].found, checks["left-overs"].mend) == ("of dead labs: 0badcafe", "droidrange lab clean")


def test_an_engine_that_fails_while_it_is_asked(reached, monkeypatch):
    def broken(_engine):
        raise PrerequisiteError("the Docker engine fails: no space left; systemctl restart docker")

    monkeypatch.setattr(live, "images_missing", broken)
    checks = found()
    assert not checks["docker engine"].ok
    assert "no space left" in checks["docker engine"].found
    assert "live images" not in checks
    assert reached.closed


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (FileNotFoundError(2, "No such file"), ("no /dev/kvm", "modprobe kvm_intel")),
        (PermissionError(13, "Permission denied"), ("Permission denied", "usermod -aG kvm")),
    ],
)
def test_why_an_emulator_cannot_run_here(monkeypatch, fault, words):
    def refuse(*_):
        raise fault

    monkeypatch.setattr(doctor.os, "open", refuse)
    check = doctor._emulator()
    assert not check.ok
    assert words[0] in check.found
    assert words[1] in check.mend


@pytest.mark.parametrize("fault", [None, OSError(95, "Operation not supported")])
def test_a_device_that_makes_no_machine_is_no_kvm(monkeypatch, fault):
    opened = []

    def create(device, request, _argument):
        assert request == 0xAE01
        opened.append(device)
        if fault:
            raise fault
        opened.append(os.dup(device))
        return opened[-1]

    real = os.open
    monkeypatch.setattr(doctor.os, "open", lambda _path, flags: real(os.devnull, flags))
    monkeypatch.setattr(doctor.fcntl, "ioctl", create)
    check = doctor._emulator()
    assert check.ok is (fault is None)
    assert fault is None or "makes no virtual machine (Operation not supported)" in check.found
    for number in opened:  # all closed again
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(number)


@pytest.mark.parametrize(("text", "has"), [("nodev\tbinder\n", True), ("nodev\tsysfs\n\text4\n", False)])
def test_why_redroid_cannot_run_here(monkeypatch, tmp_path, text, has):
    (tmp_path / "filesystems").write_text(text)
    places = {"/proc/filesystems": tmp_path / "filesystems", "/dev/binder": tmp_path / "none"}
    monkeypatch.setattr(doctor, "Path", lambda path: places[path])
    check = doctor._redroid()
    assert check.ok is has
    assert has or "CONFIG_ANDROID_BINDERFS" in check.mend


def test_doctor_loads_no_sdk_where_the_extra_is_absent(monkeypatch):
    """``docker`` is looked for by its metadata: a machine without it still gets its list."""
    monkeypatch.setattr(doctor, "LIVE_PACKAGES", ("no-such-package",))
    monkeypatch.setitem(sys.modules, "docker", None)
    assert "extra live" in found()
