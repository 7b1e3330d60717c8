"""A lab that is up knows where its parts are, and gives away no key."""

from __future__ import annotations

import datetime as dt
from ipaddress import IPv4Network
from types import SimpleNamespace

from lab.stages.live.gateway.gateway import make_authority
from lab.stages.live.livelab import Handset, LiveLab


def test_places_folders_and_the_authority_without_its_key(tmp_path) -> None:
    session = SimpleNamespace(id="0a1b2c3d", folder=tmp_path)
    lab = LiveLab(None, session, IPv4Network("10.77.3.0/24"), {}, (Handset(0, None, "10.77.3.10"),))
    assert (lab.host, lab.at("gateway"), lab.at("handset", 0)) == ("10.77.3.1", "10.77.3.2", "10.77.3.10")
    assert lab.handsets[0].hosts == "handset-01.hosts"
    lab.folder("pki").mkdir()
    certificate = make_authority(lab.folder("pki"), dt.datetime(2026, 11, 21, tzinfo=dt.UTC))
    assert lab.trusted() == certificate.decode()
    assert "PRIVATE" not in lab.trusted()
