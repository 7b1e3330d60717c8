import sys

import pytest

from lab import doctor
from lab.devices import kinds
from lab.devices.kinds import Lack, Machine
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
    assert check.found.endswith("none.sock: no Docker engine listens where DOCKER_HOST points")
    assert check.mend.startswith("start it, or: env -u DOCKER_HOST")


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


UNABLE = Machine(kvm=Lack("no /dev/kvm", "modprobe kvm_intel"), binder=False, lacking=1 << 24, memory_mb=1)
ABLE = Machine(kvm=None, binder=True, lacking=0, memory_mb=16384)


@pytest.mark.parametrize("name", ["docker-android", "google-emulator", "redroid"])
def test_each_kind_of_android_that_others_make_has_its_own_check(monkeypatch, name):
    monkeypatch.setattr(kinds, "this_machine", lambda: UNABLE)
    check, lacks = found()[name], kinds.why_not(kinds.kind(name), UNABLE)
    assert not check.ok
    assert not check.required
    assert check.found.startswith("cannot run here: ")
    assert all(lack.why in check.found and lack.mend in check.mend for lack in lacks)
    monkeypatch.setattr(kinds, "this_machine", lambda: ABLE)
    assert found()[name].ok


def test_what_only_needs_containers_is_the_engine_s_to_check():
    assert "handset" not in found()


def test_doctor_loads_no_sdk_where_the_extra_is_absent(monkeypatch):
    """``docker`` is looked for by its metadata: a machine without it still gets its list."""
    monkeypatch.setattr(doctor, "LIVE_PACKAGES", ("no-such-package",))
    monkeypatch.setitem(sys.modules, "docker", None)
    assert "extra live" in found()
