"""Where modules are found, and what of their surroundings is shown."""

import pytest

from detector.foreign.module_place import placed


@pytest.fixture
def folder(tmp_path):
    for name in ("mine.py", "helper.py", "notes.txt", "findings.jsonl", "no-module.py"):
        (tmp_path / name).write_text("x = 1\n")
    for name in ("pack", "out", "lab"):
        (tmp_path / name).mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "lab" / "__init__.py").write_text("")
    (tmp_path / "pack" / "model.json").write_text("{}")
    (tmp_path / "pack" / "deep.py").write_text("")
    return tmp_path


def test_a_module_is_shown_with_the_modules_beside_it_and_nothing_else(folder):
    place = placed("mine", [folder])
    assert (place.module, place.folder) == ("mine", folder)
    assert {path.name for path in place.reads} == {"mine.py", "helper.py", "pack"}


def test_a_package_is_shown_whole_and_alone(folder):
    place = placed("pack.deep", [folder])
    assert (place.module, place.folder, place.reads) == ("pack.deep", folder, (folder / "pack",))


def test_the_path_of_a_file_is_a_module_too(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert placed("mine.py") == placed("mine", [folder])
    assert placed("mine") == placed("mine", [folder])


def test_an_installed_module_is_shown_alone():
    place = placed("six") if _has("six") else placed("typing_extensions")
    assert len(place.reads) == 1


def _has(name: str) -> bool:
    try:
        placed(name)
    except LookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("absent", "found no module 'absent'"),
        ("absent.py", "found no file 'absent.py'"),
        ("", "found no module ''"),
        ("mine..x", "found no module"),
        ("no-module.py", "expected a name that Python can import"),
    ],
)
def test_what_is_no_module_is_told(folder, monkeypatch, module, said):
    monkeypatch.chdir(folder)
    with pytest.raises(LookupError, match=said):
        placed(module)


def test_other_sources_have_another_digest(folder):
    place = placed("mine", [folder])
    before = place.digest()
    assert place.digest() == before
    (folder / "notes.txt").write_text("other notes")
    assert place.digest() == before
    (folder / "pack" / "deep.py").write_text("y = 2")
    assert place.digest() != before
