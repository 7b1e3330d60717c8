"""The plan to install a CA, as text, for every Android version; and the file name as OpenSSL computes it."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lab.devices.certificates import APEX, STORE, as_root, install_plan, proxy_command, subject_hash_old
from lab.devices.errors import DeviceError


def authority(*parts):
    """A CA named by (OID, text) pairs."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(Encoding.PEM)


CA = authority((NameOID.COMMON_NAME, "Lab CA"))


def plan(sdk, *, root_prefix="", writable=False, serial="s"):
    return install_plan(CA, serial=serial, sdk=sdk, root_prefix=root_prefix, writable=writable)


@pytest.mark.parametrize(
    "parts",
    [
        [(NameOID.COMMON_NAME, "Lab CA")],
        [
            (NameOID.COUNTRY_NAME, "DE"),
            (NameOID.ORGANIZATION_NAME, "Prüfstand, Groß & Söhne"),
            (NameOID.COMMON_NAME, "x"),
        ],
        [
            (NameOID.COMMON_NAME, "mitmproxy"),
            (NameOID.ORGANIZATION_NAME, "mitmproxy"),
            (NameOID.EMAIL_ADDRESS, "a@b.example"),
        ],
    ],
)
def test_the_file_name_is_openssls(parts, tmp_path):
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl program here")
    file = tmp_path / "ca.pem"
    file.write_bytes(authority(*parts))
    words = [program, "x509", "-noout", "-subject_hash_old", "-in", str(file)]
    said = subprocess.run(words, capture_output=True, check=True, text=True).stdout.strip()
    assert subject_hash_old(file.read_bytes()) == said


def test_a_writable_store_is_written():
    found = plan(33, writable=True)
    name = f"{subject_hash_old(CA)}.0"
    assert found.pushed_to == f"/data/local/tmp/{name}"
    assert found.content == CA
    assert list(found.commands) == [
        f"cp /data/local/tmp/{name} {STORE}/{name} && chmod 644 {STORE}/{name}",
        f"rm -f /data/local/tmp/{name}",
    ]


def test_android_9_tries_the_remount_first_and_the_overlay_if_it_fails():
    first = plan(28).commands[0]
    assert first.startswith("(mount -o rw,remount /system && touch ")
    assert " || (rm -rf " in first
    assert "mount -t tmpfs" in first


def test_from_android_10_a_tmpfs_copy_is_laid_over_the_store():
    commands = plan(29).commands
    assert f"cp {STORE}/* /data/local/tmp/droidrange-cacerts/" in commands[0]
    assert commands[1] == f"mount -t tmpfs tmpfs {STORE}"
    assert any("chcon u:object_r:system_file:s0" in command for command in commands)
    assert not any("nsenter" in command for command in commands)


def test_from_android_14_the_apex_of_zygote_and_its_children_is_bound():
    commands = plan(34).commands
    assert f"[ -d {APEX} ] && echo {APEX}" in commands[0]
    apex = next(command for command in commands if "nsenter" in command)
    assert apex.startswith(f"[ ! -d {APEX} ] || ")
    assert apex.count(f"nsenter --mount=/proc/$pid/ns/mnt -- /bin/mount --bind {STORE} {APEX}") == 2
    assert "pidof zygote zygote64" in apex


@pytest.mark.parametrize("sdk", [26, 28, 29, 33, 34, 35])
@pytest.mark.parametrize("prefix", ["", "su 0 sh -c", "su -c"])
def test_every_plan_is_shell_that_parses(sdk, prefix):
    for command in plan(sdk, root_prefix=prefix).commands:
        assert subprocess.run(["/bin/sh", "-n", "-c", command], capture_output=True, check=False).returncode == 0
        assert command.startswith(prefix)


def test_a_broken_command_would_not_parse():
    assert subprocess.run(["/bin/sh", "-n", "-c", "for x in; do ("], capture_output=True, check=False).returncode != 0


def test_root_is_asked_the_devices_way():
    assert as_root("cp a b", "") == "cp a b"
    assert as_root("cp 'a' b", "su 0 sh -c") == "su 0 sh -c 'cp '\"'\"'a'\"'\"' b'"


def test_what_cannot_be_done_is_said():
    with pytest.raises(DeviceError, match="no root"):
        plan(34, root_prefix=None)
    with pytest.raises(DeviceError, match="no SDK level"):
        plan(None)
    with pytest.raises(ValueError):
        install_plan(b"no certificate", serial="s", sdk=33, root_prefix="", writable=True)


def test_the_proxy_setting():
    assert proxy_command("10.88.0.1", 8080) == "settings put global http_proxy 10.88.0.1:8080"
    assert proxy_command(None) == "settings put global http_proxy :0"
