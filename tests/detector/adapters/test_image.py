"""What is asked of docker for a container, by a docker that only writes it down; the real one is in tests/live."""

import json
import sys
from dataclasses import replace

import pytest

from detector.adapters import image as adapter
from detector.contract import SCHEMAS, Telemetry, Unsupported, detector
from detector.fenced import Failed, Limits

TELEMETRY = Telemetry({name: schema.empty_table() for name, schema in SCHEMAS.items()}, (0, 1), partial="cut")
LINE = {
    "analytic": "AN1793",
    "device": "phone-01",
    **dict.fromkeys(("first_seen", "last_seen", "decided_at"), "2026-03-02T00:00:00Z"),
    "score": 0.5,
    "alert": True,
    "severity": "low",
    "detector": "theirs",
    "detector_version": "1",
}
FINDING = json.dumps(LINE) + "\n"
#: Answers as docker does, by the file docker.json beside it, and writes down what it was asked.
DOCKER = """#!{python}
import json, os, sys, time
here = os.path.dirname(os.path.abspath(__file__))
plan = json.load(open(here + "/plan.json"))
words = sys.argv[1:]
with open(here + "/asked.jsonl", "a") as file:
    file.write(json.dumps(words) + "\\n")
if words[0] in plan["refuses"]:
    sys.exit("Error response from daemon: " + plan["refuses"][words[0]])
if words[0] == "create":
    print("c0ffee")
elif words[0] == "start":
    sys.stderr.write(plan["stderr"]); sys.stdout.write(plan["stdout"] * plan["times"]); sys.stdout.flush()
    time.sleep(plan["sleeps"]); sys.exit(plan["code"])
elif words[0] == "inspect":
    print(plan["code"], plan["starved"], plan["status"])
elif words[0] == "image":
    print("sha256:0123456789abcdef")
elif words[0] == "ps":
    print("\\n".join(plan["left"]) if "ID" in str(words) else "c0ffee")
"""


class Engine:
    def __init__(self, folder):
        self.folder = folder
        self.plan = {"refuses": {}, "stdout": FINDING * 2, "stderr": "talk", "times": 1, "sleeps": 0, "code": 0}
        self.plan |= {"starved": "false", "status": "exited", "left": []}
        script = folder / "docker"
        script.write_text(DOCKER.format(python=sys.executable))
        script.chmod(0o755)
        self.told()

    def told(self, **plan):
        self.plan |= plan
        (self.folder / "plan.json").write_text(json.dumps(self.plan))

    def asked(self, word):
        lines = (json.loads(line) for line in (self.folder / "asked.jsonl").read_text().splitlines())
        return [words for words in lines if words[0] == word]


@pytest.fixture
def engine(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return Engine(tmp_path)


def test_a_container_is_made_without_network_rights_or_anything_to_write(engine):
    list(detector("image:theirs:1").detect(TELEMETRY))
    (words,) = engine.asked("create")
    assert words[-1] == "sha256:0123456789abcdef"
    closed = {"--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"}
    assert closed <= set(words)
    assert {f"--memory={4 << 30}", f"--memory-swap={4 << 30}", "--pids-limit=512", "--pull=never"} <= set(words)
    assert "--cpu-quota=200000" in words
    (volume,) = [word for word in words if word.startswith("--volume=")]
    assert volume.endswith("/telemetry:/telemetry:ro")


def test_findings_are_signed_and_the_container_is_removed_by_its_label(engine):
    found = list(detector("image:theirs:1").detect(TELEMETRY))
    signed = [(one.detector, one.detector_version, one.partial) for one in found]
    assert signed == [("image:theirs:1", "0123456789ab", True)] * 2
    label = next(word for word in engine.asked("create")[0] if word.startswith(f"--label={adapter.LABEL}="))
    assert f"--filter={label[2:]}" in engine.asked("ps")[-1]
    assert engine.asked("rm") == [["rm", "--force", "--volumes", "c0ffee"]]


@pytest.mark.parametrize(
    ("plan", "fault", "said"),
    [
        ({"code": 127}, Unsupported, "talk"),
        ({"code": 3}, Failed, "ended with code 3: talk"),
        ({"starved": "true", "code": 137}, Failed, "held more than"),
        ({"status": "created"}, Failed, "could not be run: talk"),
        ({"status": "running"}, Failed, "could not be run"),
        ({"stdout": "junk\n"}, Failed, "line 1: no finding"),
        ({"times": 1000}, Failed, "wrote more than 10,000 bytes"),
        ({"stderr": "x" * 20_000}, Failed, "wrote more than 10,000 bytes"),
        ({"sleeps": 60}, Failed, "longer than 5 s"),
        ({"refuses": {"create": "no space left on device"}}, Failed, "docker create: .*no space left"),
    ],
)
def test_each_other_end_is_told_and_leaves_nothing(engine, plan, fault, said):
    engine.told(**plan)
    one = replace(detector("image:theirs:1"), limits=Limits(seconds=5.0, output=10_000))
    with pytest.raises(fault, match=said):
        list(one.detect(TELEMETRY))
    assert engine.asked("rm") == [["rm", "--force", "--volumes", "c0ffee"]]


def test_what_the_dead_left_goes_and_what_the_living_have_stays(engine):
    engine.told(left=[f"mine {adapter._owner()}", "theirs 0-boot 4 17", "junk x"])
    list(detector("image:theirs:1").detect(TELEMETRY))
    assert engine.asked("rm")[0] == ["rm", "--force", "--volumes", "theirs", "junk"]


def test_a_process_that_is_gone_owns_nothing():
    assert adapter._lives(adapter._owner())
    assert adapter._owner(2**22 + 1) == ""
    assert not adapter._lives("")


def test_an_image_that_is_not_there_is_not_fetched(engine):
    engine.told(refuses={"image": "No such image: absent"})
    with pytest.raises(LookupError, match=r"found no image 'absent' on the engine \(.*\); docker build -t absent"):
        detector("image:absent")
    assert engine.asked("pull") == []


@pytest.mark.parametrize("argument", ["", "--privileged"])
def test_what_is_no_name_is_told(argument):
    with pytest.raises(LookupError, match="expected image:NAME"):
        detector(f"image:{argument}")


def test_without_an_engine_of_this_machine_it_says_what_to_do(engine, monkeypatch):
    engine.told(refuses={"version": "Cannot connect"})
    with pytest.raises(Unsupported, match=r"no Docker engine answers .*Cannot connect.*apt-get install docker\.io"):
        detector("image:x")
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    with pytest.raises(Unsupported, match="another machine"):
        detector("image:x")
    monkeypatch.delenv("DOCKER_HOST")
    (engine.folder / "docker").unlink()
    with pytest.raises(Unsupported, match="there is no command docker"):
        detector("image:x")
