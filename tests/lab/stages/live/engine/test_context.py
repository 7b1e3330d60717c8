import tarfile

import pytest

from lab.errors import StageError
from lab.stages.live.engine.context import read_context


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "role/image"
    (made / "bin").mkdir(parents=True)
    (made / "__pycache__").mkdir()
    (made / "__pycache__/x.pyc").write_bytes(b"x")
    (made / "Dockerfile").write_text("FROM scratch\n")
    (made / "bin/run").write_text("#!/bin/sh\n")
    (made / "bin/run").chmod(0o750)
    (tmp_path / "shared.py").write_text("x = 1\n")
    (made / "context.toml").write_text('files = ["../../shared.py"]\nwheels = ["h11>=0.16"]\n')
    return made


def test_a_context_is_the_folder_and_what_it_names(folder):
    context = read_context(folder)
    assert sorted(context.files) == ["Dockerfile", "bin/run", "shared.py"]
    assert context.wheels == ("h11>=0.16",)


def test_packed_it_is_the_same_bytes_whoever_packs_it_and_when(folder, tmp_path):
    wheel = tmp_path / "h11-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    packed = read_context(folder).packed({wheel.name: wheel})
    with tarfile.open(fileobj=packed) as tar:
        entries = {entry.name: (entry.mode, entry.uid, entry.mtime) for entry in tar}
        assert tar.extractfile("wheels/h11-1-py3-none-any.whl").read() == b"wheel"
    assert entries == {
        "Dockerfile": (0o644, 0, 0),
        "bin/run": (0o755, 0, 0),
        "shared.py": (0o644, 0, 0),
        "wheels/h11-1-py3-none-any.whl": (0o644, 0, 0),
    }
    assert packed.getvalue() == read_context(folder).packed({wheel.name: wheel}).getvalue()


def change_text(folder):
    (folder / "bin/run").write_text("#!/bin/sh\ntrue\n")


def change_mode(folder):
    (folder / "bin/run").chmod(0o640)


def change_shared(folder):
    (folder / "../../shared.py").write_text("x = 2\n")


def change_name(folder):
    (folder / "bin/run").rename(folder / "bin/walk")


def change_wheels(folder):
    (folder / "context.toml").write_text('files = ["../../shared.py"]\nwheels = ["h11>=0.17"]\n')


@pytest.mark.parametrize("change", [change_text, change_mode, change_shared, change_name, change_wheels])
def test_the_digest_tells_every_change(folder, change):
    before = read_context(folder).digest({})
    assert read_context(folder).digest({}) == before
    change(folder)
    assert read_context(folder).digest({}) != before


def test_the_digest_tells_another_base(folder):
    context = read_context(folder)
    assert context.digest({"BASE": "a"}) != context.digest({"BASE": "b"})
    assert len(context.digest({})) == 12


def test_what_is_left_out_does_not_count(folder):
    before = read_context(folder).digest({})
    (folder / "__pycache__/y.pyc").write_bytes(b"y")
    assert read_context(folder).digest({}) == before


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('files = ["../../gone.py"]', "not there"),
        ('files = ["../Dockerfile"]', "of its own"),
        ('file = ["x"]', "expected lists"),
        ('wheels = "h11"', "expected lists"),
        ("wheels = [1]", "expected lists"),
    ],
)
def test_settings_that_cannot_be_are_told_with_their_place(folder, text, word):
    (folder / "../Dockerfile").write_text("")
    (folder / "context.toml").write_text(text)
    with pytest.raises(StageError, match=rf"context\.toml: .*{word}"):
        read_context(folder)
