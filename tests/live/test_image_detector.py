"""Containers as detectors on a real engine: what they see, what they cannot do, and that nothing of them is left."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from dataclasses import replace

import pytest

from detector.adapters import image as adapter
from detector.contract import SCHEMAS, Telemetry, Unsupported, detector
from detector.fenced import Failed, Limits

pytestmark = pytest.mark.live

LINE = json.dumps(
    {
        "analytic": "AN1793",
        "device": "phone-01",
        **dict.fromkeys(("first_seen", "last_seen", "decided_at"), "2026-03-02T00:00:00Z"),
        "score": 0.5,
        "alert": True,
        "severity": "low",
        "detector": "theirs",
        "detector_version": "1",
    }
)
SAY = f"echo '{LINE}'"
PROGRAMS = ("sh", "cat", "sleep", "ls", "touch", "id", "head")
SMALL = Limits(seconds=60.0, cpu_seconds=20, memory=64 << 20, output=1 << 20, processes=32)
TELEMETRY = Telemetry({name: schema.empty_table() for name, schema in SCHEMAS.items()}, (0, 86_400_000_000))


def filesystem() -> bytes:
    """A tar of this machine's shell and a few programs with the libraries they need."""
    found = {shutil.which(name) for name in PROGRAMS}
    for program in sorted(filter(None, found)):
        told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        found |= {word for word in told.split() if word.startswith("/")}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", dereference=True) as tar:
        for path in sorted(filter(None, found)):
            tar.add(path)
        for name in ("tmp", "proc", "dev"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
    return content.getvalue()


def docker(*words: str, content: bytes | None = None) -> str:
    done = subprocess.run(["docker", *words], input=content, capture_output=True, check=True, timeout=120)
    return done.stdout.decode().strip()


@pytest.fixture(scope="module")
def base():
    return filesystem()


@pytest.fixture
def contained(base, request):
    """An image whose command is a text of shell, as a detector."""
    tag = f"droidrange-test-detector:{abs(hash(request.node.name))}"

    def made(script: str, limits: Limits = SMALL):
        command = json.dumps([shutil.which("sh"), "-c", script])
        changes = (f"--change=CMD {command}", "--change=ENV PATH=/usr/bin:/bin")
        docker("import", *changes, "-", tag, content=base)
        return replace(detector(f"image:{tag}"), limits=limits)

    yield made
    docker("image", "rm", "--force", tag)
    assert docker("ps", "--all", "--quiet", f"--filter=label={adapter.LABEL}") == "", "no container is left"


def test_what_it_says_is_found_and_signed(contained):
    one = contained(f"{SAY}; {SAY}; echo talk >&2")
    found = list(one.detect(TELEMETRY))
    assert [each.device for each in found] == ["phone-01", "phone-01"]
    assert {(each.detector, each.detector_version) for each in found} == {(one.name, one.version)}
    assert len(one.version) == 12


def test_it_sees_the_telemetry_whole_as_any_user(contained, tmp_path):
    capture = tmp_path / "capture.pcap"
    capture.write_bytes(b"packets")
    seen = "cat /telemetry/capture.pcap >&2; cat < /telemetry/flows.parquet > /dev/null && echo ' all' >&2; exit 9"
    with pytest.raises(Failed, match="code 9: packets all"):
        list(contained(seen).detect(replace(TELEMETRY, capture=capture)))


def test_127_is_unsupported_and_other_codes_have_failed(contained):
    with pytest.raises(Unsupported, match="no dns"):
        list(contained("echo no dns here >&2; exit 127").detect(TELEMETRY))
    with pytest.raises(Failed, match="ended with code 3: oh"):
        list(contained(f"{SAY}; echo oh >&2; exit 3").detect(TELEMETRY))


def test_junk_has_failed(contained):
    with pytest.raises(Failed, match="line 2: no finding"):
        list(contained(f"{SAY}; echo done").detect(TELEMETRY))


@pytest.mark.parametrize(
    "attempt",
    [
        "touch /telemetry/x",
        "echo x > /telemetry/telemetry.json",
        "touch /x",
        "touch /usr/x",
        "cat /proc/1/environ /etc/shadow",
    ],
)
def test_it_can_write_nowhere_but_in_its_scratch_folder(contained, attempt):
    with pytest.raises(Failed, match="ended with code"):
        list(contained(f"{attempt} || exit 5; {SAY}").detect(TELEMETRY))
    assert len(list(contained(f"touch /tmp/x && {SAY}").detect(TELEMETRY))) == 1


def test_it_has_no_network_and_no_rights(contained):
    with pytest.raises(Failed) as fault:
        list(contained("cat /proc/net/dev | head -9 >&2; exit 1").detect(TELEMETRY))
    assert "eth" not in str(fault.value)
    assert "lo:" in str(fault.value)
    with pytest.raises(Failed, match=r"CapEff:\s+0+ "):
        list(
            contained(
                "while read l; do case $l in CapEff*) echo $l x >&2;; esac; done < /proc/self/status; exit 1"
            ).detect(TELEMETRY)
        )


@pytest.mark.parametrize(
    ("script", "limits", "said"),
    [
        ("sleep 600", replace(SMALL, seconds=2.0), "longer than 2 s"),
        ("while :; do :; done", replace(SMALL, cpu_seconds=1), "code 152|code 137"),
        (
            "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
            SMALL,
            "to stdout and stderr",
        ),
        (f"while :; do {SAY}; done", SMALL, "to stdout and stderr"),
        ("f() { f | f & }; f; sleep 5; exit 4", replace(SMALL, seconds=8.0), "ended"),
        ("x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done", SMALL, "bytes of memory|code 2|code 137"),
        ("head -c 200000000 /dev/zero > /tmp/big || exit 6", SMALL, "code 6|code 137|memory"),
    ],
)
def test_a_bomb_is_ended_within_its_limits(contained, script, limits, said):
    with pytest.raises(Failed, match=said):
        list(contained(script, limits).detect(TELEMETRY))


def test_an_interrupt_leaves_no_container(contained, monkeypatch):
    def interrupted(command, limits, name):
        docker("start", command[-1])
        raise KeyboardInterrupt

    one = contained("sleep 600")
    monkeypatch.setattr(adapter, "heard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(one.detect(TELEMETRY))


def test_what_a_killed_process_left_is_removed_by_the_next(contained):
    one = contained(SAY)
    dead = adapter._owner().rsplit(" ", 1)[0] + " 1"
    docker("create", f"--label={adapter.LABEL}=0", f"--label={adapter.LABEL}.owner={dead}", one.image)
    decoy = docker("create", "--label=somebody.else=1", one.image)
    try:
        assert len(list(one.detect(TELEMETRY))) == 1
        assert decoy.startswith(docker("ps", "--all", "--quiet", "--filter=label=somebody.else"))
    finally:
        docker("rm", "--force", decoy)


def test_an_image_that_is_not_there_is_told():
    with pytest.raises(LookupError, match=r"found no image 'absent:1' on the engine .*docker build"):
        detector("image:absent:1")
