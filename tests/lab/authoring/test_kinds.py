"""The files of lab/behaviours are the kinds, and an unknown one answers with the known."""

from __future__ import annotations

import pytest

from lab.authoring.kinds import behaviour_class, behaviour_names


def test_every_kind_is_found_by_its_file():
    assert {"http-poll", "socks-relay", "web-browsing"} <= set(behaviour_names())
    for kind in behaviour_names():
        assert behaviour_class(kind).__module__ == f"lab.behaviours.{kind.replace('-', '_')}"


def test_an_unknown_kind_names_the_known_and_the_nearest():
    with pytest.raises(
        LookupError, match=r"unknown kind 'http-pol'; known are .*socks-relay.*did you mean 'http-poll'\?"
    ):
        behaviour_class("http-pol")
