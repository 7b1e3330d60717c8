import datetime as dt
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lab.stages.live.engine import policy
from lab.stages.live.gateway.gateway import AUTHORITY, CAPS, make_authority, run_arguments
from lab.stages.live.gateway.image import supervisor

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)


def test_the_gateway_may_write_its_captures_and_nothing_else():
    folders = {"rec": Path("/x/rec"), "plan": Path("/x/plan"), "pki": Path("/x/pki")}
    made = run_arguments(address="10.77.1.2", host="10.77.1.1", **folders)
    assert made["volumes"] == {
        "/x/rec": {"bind": "/rec", "mode": "rw"},
        "/x/plan": {"bind": "/plan", "mode": "ro"},
        "/x/pki": {"bind": "/pki", "mode": "ro"},
    }
    assert made["command"] == ["--address", "10.77.1.2", "--host", "10.77.1.1"]
    assert made["sysctls"]["net.ipv4.ip_forward"] == "1"
    assert "noexec" in made["tmpfs"]["/run"]
    assert "DAC_OVERRIDE" not in CAPS
    assert set(made["caps"]) <= policy.CAPS


def test_the_authority_is_of_this_lab_and_short_lived(tmp_path):
    pem = make_authority(tmp_path, NOW)
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate.not_valid_before_utc <= NOW
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= dt.timedelta(days=7)
    path = tmp_path / AUTHORITY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = load_pem_private_key(path.read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    assert pem in path.read_bytes()
    assert AUTHORITY == supervisor.AUTHORITY


def test_two_labs_have_two_authorities_and_one_lab_one(tmp_path):
    (tmp_path / "other").mkdir()
    assert make_authority(tmp_path, NOW) != make_authority(tmp_path / "other", NOW)
    with pytest.raises(FileExistsError):
        make_authority(tmp_path, NOW)
