"""A folder is shown whole only where no truth lies in it."""

import pytest

from detector.foreign.module_place import placed
from detector.foreign.shown import shown
from detector.foreign.zeek_script import read_script


@pytest.fixture
def pack(tmp_path):
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "__load__.zeek").write_text("# droidrange_analytic AN1793\nredef enum Notice::Type += { Poll };\n")
    return folder


@pytest.fixture
def recorded(pack):
    """The same with a run inside."""
    recording = pack / "out" / "recordings" / "https-poll-s1"
    recording.mkdir(parents=True)
    (recording / "recording.json").write_text("{}")
    return pack


def test_a_folder_without_recordings_is_shown(pack):
    assert shown(pack) == pack
    assert placed("pack", [pack.parent]).reads == (pack,)
    assert read_script(pack, None).notices == {"Poll"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda pack: placed("pack", [pack.parent]),
        lambda pack: placed("mine", [pack.parent]),
        lambda pack: read_script(pack, None),
    ],
    ids=["package", "package-beside-a-module", "zeek-scripts"],
)
def test_one_with_a_recording_is_refused_with_its_place(recorded, ask):
    (recorded.parent / "mine.py").write_text("")
    with pytest.raises(LookupError, match="found the recording pack/out/recordings/https-poll-s1 in pack"):
        ask(recorded)
