import subprocess
import sys
from pathlib import Path

import pytest

from lab.errors import PrerequisiteError
from lab.stages.live.engine import wheels
from lab.stages.live.engine.wheels import download_words, pip, wheelhouse


@pytest.fixture
def fake_pip(tmp_path, monkeypatch):
    """A pip that writes one wheel per requirement, or fails: a program, so that the call itself is tested."""
    program = tmp_path / "pip"
    program.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r}); log.write_text(log.read_text() + 'x' if log.exists() else 'x')\n"
        "dest = pathlib.Path(sys.argv[sys.argv.index('--dest') + 1])\n"
        "names = sys.argv[sys.argv.index('--dest') + 2:]\n"
        "if 'absent' in names: print('ERROR: no matching distribution', file=sys.stderr); sys.exit(1)\n"
        "[dest.joinpath(f'{name}-1-py3-none-any.whl').write_bytes(b'x') for name in names]\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(wheels, "pip", lambda: [str(program)])
    return tmp_path / "log"


def test_wheels_are_downloaded_once(state, fake_pip):
    first = wheelhouse(("one", "two"))
    assert list(first) == ["one-1-py3-none-any.whl", "two-1-py3-none-any.whl"]
    assert wheelhouse(("two", "one")) == first
    assert fake_pip.read_text() == "x"
    assert all(path.is_relative_to(state.cache / "wheels") for path in first.values())


def test_other_requirements_have_another_wheelhouse(state, fake_pip):
    assert list(wheelhouse(("one",))) != list(wheelhouse(("two",)))
    assert fake_pip.read_text() == "xx"


def test_nothing_required_needs_no_pip(state, monkeypatch):
    monkeypatch.setattr(wheels, "pip", lambda: pytest.fail("called"))
    assert wheelhouse(()) == {}


def test_a_failed_download_tells_what_pip_said_and_leaves_no_wheelhouse(state, fake_pip):
    for _ in range(2):
        with pytest.raises(PrerequisiteError, match="no matching distribution"):
            wheelhouse(("absent",))
    assert fake_pip.read_text() == "xx"
    assert list((state.cache / "wheels").iterdir()) == []


def test_pip_is_asked_for_the_images_python_not_for_this_one():
    words = download_words(("h11",), Path("/there"), "aarch64")
    assert words[words.index("--python-version") + 1] == "3.13"
    assert "manylinux_2_28_aarch64" in words
    assert "--only-binary=:all:" in words
    assert words[-3:] == ["--dest", "/there", "h11"]


def test_a_pip_is_found_on_this_machine(state):
    done = subprocess.run([*pip(), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pip ")


def test_without_any_pip_one_is_made_in_the_cache(state, monkeypatch):
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(wheels.shutil, "which", lambda _name: None)
    asked = []

    def run(words, **_rest):
        asked.append(words)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(wheels.subprocess, "run", run)
    assert pip() == [str(state.cache / "pip/bin/python"), "-m", "pip"]
    assert asked[0][1:] == ["-m", "venv", "--clear", str(state.cache / "pip")]
    monkeypatch.setattr(wheels.subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, 1, "", "no"))
    with pytest.raises(PrerequisiteError, match="apt-get install python3-pip"):
        pip()
