"""Files of a live recording as memory; the rest of it is in the folder stage, its lab, phones and run replaced."""

from __future__ import annotations

from lab.stages.live import stage as module


def test_no_words_at_all_are_mapped_as_none(tmp_path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.touch()
    full.write_bytes(b"words")
    for path in (empty, full):
        with module._mapped(path) as view:
            assert bytes(view) == path.read_bytes()
