"""A handset by its own account: states of power, abilities, the clock and the certificates it trusts."""

import itertools
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lab.devices.certificates import STORE, subject_hash_old
from lab.timeline import POWER_STATES

pytestmark = pytest.mark.live


def test_every_power_state_is_reached_from_every_other(device):
    missed = []
    for before, after in itertools.permutations(POWER_STATES, 2):
        for power in (before, after):
            awake = power == "interactive"
            device.phone.set_state(screen_on=awake, locked=not awake, foreground=None, power=power, interaction=False)
        reading = device.phone.read_state()
        if (reading.power_state, reading.screen_on, reading.locked) != (after, awake, not awake):
            missed.append((before, after, reading))
    assert missed == []


def test_the_report_is_honest_and_a_ca_lands_in_the_store(device):
    caps = device.caps
    assert (caps.uid_switch, caps.root_prefix, caps.sdk, caps.release) == ("setpriv", "", 33, "13")
    assert caps.netcat is not None
    assert {"u", "l", "q", "w", "W"} <= caps.netcat
    assert [what for what, _ in caps.missing] == ["nflog"]  # no sidecar here
    offset_us, doubt_us = device.phone.clock_offset()
    assert abs(offset_us) <= doubt_us  # one kernel, one clock; how well that is seen is the machine's affair
    assert caps.clock_offset_us is not None
    pem = certificate()
    device.phone.install_ca(pem)
    assert device.phone.pull(f"{STORE}/{subject_hash_old(pem)}.0") == pem


def certificate():
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab CA")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day)
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
