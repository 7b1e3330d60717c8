"""A timeline in several scenes is the timeline in one."""

from lab.stages.dialogues import formats_of
from lab.stages.flows import scenes
from lab.stages.link import links_of


def played(timeline):
    links = links_of(timeline, [found.TRANSPORT for found in formats_of(timeline)])
    told = []
    return scenes.played(timeline, links, lambda done, total: told.append((done, total))), told


def test_scenes_do_not_show(tiny, monkeypatch):
    whole, told = played(tiny)
    assert told == [(6, 6)]
    monkeypatch.setattr(scenes, "SCENE", 1)
    parts, told = played(tiny)
    assert told == [(5, 6), (6, 6)]
    assert dict(whole.tables) == dict(parts.tables)
    assert whole.carried.bytes_down.tolist() == parts.carried.bytes_down.tolist()


def test_nothing_happens(timeline_of):
    made, _ = played(timeline_of([]))
    assert {table.num_rows for _, table in made.tables} == {0}
