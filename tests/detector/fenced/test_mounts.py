"""What a cell sees of the file system."""

from pathlib import Path

from detector.fenced import Limits

WIDE = Limits(seconds=60.0)


def seen(program, path: Path | str, **more) -> list[str]:
    return sorted(program(f"import os; print('\\n'.join(os.listdir({str(path)!r})))", **more).stdout.decode().split())


def test_the_root_has_the_system_and_little_else(program, whole_fence):
    assert {"usr", "dev", "tmp"} <= set(seen(program, "/"))
    assert not {"home", "var", "srv", "mnt", "boot", "sys", "run"} & set(seen(program, "/"))
    assert "shadow" not in seen(program, "/etc")


def test_of_the_folders_above_only_the_way_down_is_there(program, whole_fence, tmp_path):
    (tmp_path / "beside").mkdir()
    assert seen(program, tmp_path) == ["cell"]


def test_a_file_and_a_folder_that_may_be_read_are_where_they_are_outside(program, whole_fence, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "one.rules").write_text("alert")
    (tmp_path / "single.txt").write_text("alone")
    (tmp_path / "other.txt").write_text("hidden")
    reads = (tmp_path / "rules", tmp_path / "single.txt", tmp_path / "not-there")
    assert seen(program, tmp_path, reads=reads) == ["cell", "rules", "single.txt"]
    assert seen(program, tmp_path / "rules", reads=reads) == ["one.rules"]


def test_a_link_is_followed_to_what_it_leads_to(program, whole_fence, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").write_text("")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "loop").symlink_to("loop")
    reads = (tmp_path / "link", tmp_path / "loop")
    assert seen(program, tmp_path / "link", reads=reads) == ["x"]
    assert seen(program, tmp_path, reads=reads) == ["cell", "link"]


def test_who_makes_the_truth_is_hidden_among_what_is_shown(program, whole_fence, tmp_path, monkeypatch):
    for name in ("lab", "mine"):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "scenario.py").write_text("")
    reads = (tmp_path / "site",)
    assert seen(program, tmp_path / "site" / "lab", reads=reads) == ["scenario.py"]  # the control: not our site
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert seen(program, tmp_path / "site" / "lab", reads=reads) == []
    assert seen(program, tmp_path / "site" / "mine", reads=reads) == ["scenario.py"]
    assert program(f"open({str(tmp_path / 'site' / 'lab' / 'x')!r}, 'w')", reads=reads).code == 1


def test_scratch_folders_can_be_written_and_stay_small(program, whole_fence):
    assert program("import tempfile; open('/tmp/x', 'w').write('y'); open('/dev/null', 'w').write('z')").code == 0
    ended = program(
        "f = open('/dev/shm/x', 'wb')\nfor _ in range(80): f.write(b'x' * (1 << 20)); f.flush()", limits=WIDE
    )
    assert "No space left" in ended.told


def test_processes_of_the_cell_are_the_only_ones(program, whole_fence):
    numbers = [int(name) for name in seen(program, "/proc") if name.isdigit()]
    assert numbers in ([], [1, 2])
