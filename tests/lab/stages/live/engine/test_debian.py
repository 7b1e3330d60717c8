import subprocess
from pathlib import Path

import pytest

from lab.errors import PrerequisiteError
from lab.stages.live.engine import debian
from lab.stages.live.engine.debian import BASE_IMAGE, ensure_debian, mirrors

DEB822 = """Types: deb
# http://snapshot.example/archive
URIs: http://mirror.example/debian http://second.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://node.example/node_20.x
Suites: nodistro
Components: main
"""
ONE_LINE = """# deb http://comment.example/debian bookworm main
deb [arch=amd64 signed-by=/x.gpg] https://one.example/debian bookworm main contrib
deb-src http://source.example/debian bookworm main
deb http://one.example/debian-security bookworm-security main
deb https://me:secret@private.example/debian bookworm main
deb https://tools.example/apt cloud main
deb cdrom:[Debian]/ bookworm main
"""


def test_mirrors_are_those_of_the_machines_own_sources():
    assert mirrors([ONE_LINE, DEB822]) == [
        "https://one.example/debian",
        "http://mirror.example/debian",
        "http://second.example/debian",
    ]
    assert mirrors([]) == []


def test_an_image_that_is_there_is_taken(docker, engine):
    docker.images.add(BASE_IMAGE)
    said = []
    assert ensure_debian(engine, said.append) == BASE_IMAGE
    assert said == []


@pytest.fixture
def sources(tmp_path, monkeypatch):
    monkeypatch.setattr(debian, "_SOURCES", tmp_path / "apt")
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    return tmp_path / "apt"


def test_without_registry_and_mmdebstrap_both_ways_out_are_named(docker, engine, monkeypatch):
    monkeypatch.setattr(debian.shutil, "which", lambda _name: None)
    with pytest.raises(PrerequisiteError, match=r"apt-get install mmdebstrap.*docker pull debian:trixie-slim"):
        ensure_debian(engine, lambda _line: None)


def test_without_a_mirror_that_is_said(docker, engine, sources, monkeypatch):
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(PrerequisiteError, match="name no Debian mirror without a password"):
        ensure_debian(engine, lambda _line: None)


def test_every_mirror_is_tried_and_what_each_said_is_told(docker, engine, sources, monkeypatch):
    (sources / "sources.list.d/debian.sources").write_text(DEB822)
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    tried = []

    def run(words, **_rest):
        tried.append(words[-1])
        return subprocess.CompletedProcess(words, 1, "", f"E: {len(tried)} is unreachable")

    monkeypatch.setattr(debian.subprocess, "run", run)
    with pytest.raises(PrerequisiteError, match=r"1 is unreachable.*2 is unreachable"):
        ensure_debian(engine, lambda _line: None)
    assert tried == ["http://mirror.example/debian", "http://second.example/debian"]


def test_no_registry_a_mirror_and_mmdebstrap_make_the_image(docker, engine, sources, monkeypatch):
    (sources / "sources.list").write_text(ONE_LINE)
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    taken = []

    def run(words, **_rest):
        Path(words[-2]).write_bytes(b"a whole Debian")
        return subprocess.CompletedProcess(words, 0, "", "")

    def import_image(content, **where):
        taken.append((content, where["repository"], where["tag"]))
        docker.images.add(BASE_IMAGE)

    monkeypatch.setattr(debian.subprocess, "run", run)
    monkeypatch.setattr(engine.client.api, "import_image_from_data", import_image)
    assert ensure_debian(engine, lambda _line: None) == BASE_IMAGE
    assert taken == [(b"a whole Debian", "debian", "trixie-slim")]
