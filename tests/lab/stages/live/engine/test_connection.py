import os
import socket
import subprocess
import sys

import pytest

from lab.errors import PrerequisiteError
from lab.stages.live.engine import connect, connection
from lab.stages.live.engine.connection import unfit


def test_an_engine_is_reached(docker):
    engine = connect()
    assert engine.version == "20.10.24"
    engine.close()


@pytest.mark.parametrize("where", ["tcp://127.0.0.1:2375", "ssh://me@there", "npipe:////./pipe/docker_engine"])
def test_an_engine_elsewhere_is_refused(monkeypatch, where):
    monkeypatch.setenv("DOCKER_HOST", where)
    with pytest.raises(PrerequisiteError, match="env -u DOCKER_HOST"):
        connect()


def test_without_a_socket_the_message_installs_and_starts_one(monkeypatch, tmp_path):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(connection, "DEFAULT", f"unix://{tmp_path}/none.sock")
    with pytest.raises(PrerequisiteError, match=r"apt-get install docker.io.*systemctl start docker"):
        connect()


def test_a_socket_nobody_listens_at_needs_a_start_only(monkeypatch, tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "d.sock"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(connection, "DEFAULT", f"unix://{tmp_path}/d.sock")
    with pytest.raises(PrerequisiteError, match=r"no Docker engine listens there; start it: systemctl"):
        connect()


def test_a_wrong_docker_host_is_told_as_such(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(PrerequisiteError, match=r"where DOCKER_HOST points.*env -u DOCKER_HOST"):
        connect()


def test_a_user_who_may_not_is_told_the_group(docker, monkeypatch):
    class Refusing(socket.socket):
        def connect(self, _address):
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(PrerequisiteError, match="usermod -aG docker"):
        connect()


@pytest.mark.parametrize("fault", ["error", "drop"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_engine_that_fails_while_reached_is_told(docker, fault, at):
    docker.fail(fault, at + 0)
    with pytest.raises(PrerequisiteError, match=r"d\.sock: the Docker engine does not answer"):
        connect()


@pytest.mark.parametrize(
    ("version", "traits", "word"),
    [
        ({"ApiVersion": "1.41"}, {"OSType": "linux", "SecurityOptions": None}, ""),
        ({"ApiVersion": "1.100"}, {}, ""),
        ({"ApiVersion": "1.40"}, {}, "at least 1.41"),
        ({}, {}, "at least 1.41"),
        ({"ApiVersion": "1.41"}, {"OSType": "windows"}, "Linux containers"),
        ({"ApiVersion": "1.41"}, {"OperatingSystem": "Docker Desktop 4.1"}, "Docker Desktop"),
        ({"ApiVersion": "1.41"}, {"SecurityOptions": ["name=seccomp", "name=rootless"]}, "rootless"),
    ],
)
def test_engines_that_cannot_carry_a_lab(version, traits, word):
    assert (word in unfit(version, traits)) if word else unfit(version, traits) == ""


def test_an_old_engine_is_refused(docker):
    docker.version["ApiVersion"] = "1.30"
    with pytest.raises(PrerequisiteError, match=r"1\.30, at least 1\.41"):
        connect()


def test_without_the_extra_the_message_installs_it():
    words = (
        "import sys; sys.modules['docker'] = None\n"
        "from lab.stages.live.engine import connect\n"
        "from lab.errors import PrerequisiteError\n"
        "try: connect()\n"
        "except PrerequisiteError as fault: print(fault)\n"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, env=os.environ)
    assert "droidrange[live]" in done.stdout


@pytest.mark.parametrize("verb", ["up", "status", "down", "clean"])
def test_no_command_of_the_lab_calls_a_missing_extra_a_fault_of_ours(verb):
    words = f"import sys; sys.modules['docker'] = None; sys.argv = ['droidrange', 'lab', {verb!r}]\n"
    words += "from lab.cli import app; app()"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 3
    assert done.stderr == "error: the live stage needs the extra 'live': pip install 'droidrange[live]'\n"
