"""Formats by name: what fits what, and folders that are whole or not there."""

import pytest

from lab.handing_on import formats
from lab.handing_on.formats import FORMATS, RECORDING, SCORECARD, hand_on, kind_of, parts_of, refuse


def test_what_a_path_is(smoke_recording, tmp_path):
    assert (kind_of(smoke_recording), kind_of(tmp_path)) == (RECORDING, SCORECARD)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_its_writer(name):
    assert callable(parts_of(name))


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        (RECORDING, "junit", "format 'junit' is of a run folder or its scorecard.json; x is a recording"),
        (SCORECARD, "zeek-labeled", "format 'zeek-labeled' is of a folder with recording.json; x is none"),
        (RECORDING, "xls", "unknown format 'xls': known of a recording are zeek-labeled"),
        (SCORECARD, "xls", "unknown format 'xls': known of a scorecard are junit"),
    ],
)
def test_a_format_that_does_not_fit_is_refused(tmp_path, kind, name, told):
    with pytest.raises(LookupError, match=told):
        refuse(tmp_path.with_name("x").relative_to(tmp_path.parent), kind, (name,))


def test_several_formats_have_folders_of_their_names(handed, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "FORMATS", {**FORMATS, "again": "zeek_labeled"})
    written = hand_on(handed, ("zeek-labeled", "again"), tmp_path / "made")
    assert {path.relative_to(tmp_path).parts[1] for path in written} == {"zeek-labeled", "again"}
    assert all(path.is_file() for path in written)


def test_a_format_that_fails_leaves_nothing(handed, tmp_path, monkeypatch):
    whole = parts_of("zeek-labeled")

    def cut(source):
        yield next(iter(whole(source)))
        raise KeyboardInterrupt

    monkeypatch.setattr("lab.handing_on.zeek_labeled.parts", cut)
    with pytest.raises(KeyboardInterrupt):
        hand_on(handed, ("zeek-labeled",), tmp_path / "made")
    assert list(tmp_path.iterdir()) == []
