from lab import doctor


def test_this_environment_has_what_the_embedded_default_needs():
    lacks = [check.name for check in doctor.checks() if check.required and not check.ok]
    assert lacks == []


def test_a_missing_tool_names_the_command_that_mends_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    checks = {check.name: check for check in doctor.checks()}
    assert not checks["tshark"].ok
    assert not checks["tshark"].required
    assert "apt-get install tshark" in checks["tshark"].mend


def test_a_missing_package_is_a_lack(monkeypatch):
    monkeypatch.setattr(doctor, "BASE_PACKAGES", ("no-such-package",))
    lack = next(check for check in doctor.checks() if check.name == "no-such-package")
    assert lack.required
    assert not lack.ok
    assert lack.mend
