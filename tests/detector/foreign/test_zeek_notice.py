"""Zeek's notices as hits. No real Zeek here: a program that answers as one does; the form of the log is from memory."""

import json
import sys

import pytest

from detector.contract import SCHEMAS, Telemetry, Unsupported
from detector.fenced import Failed, running
from detector.foreign import zeek_notice
from detector.foreign.zeek_notice import hits, installed, noticed
from detector.foreign.zeek_script import read_script

SCRIPT = "redef enum Notice::Type += { Steady };  # T1437\n"
NOTICE = {
    "ts": 1772409600.25,
    "id.orig_h": "10.88.0.2",
    "id.orig_p": 40000,
    "id.resp_h": "198.18.0.9",
    "id.resp_p": 443,
    "proto": "tcp",
    "note": "Poll::Steady",
    "msg": "every 300 s",
    "sub": "12 times",
}
ZEEK = """#!{python}
import json, sys
if "--version" in sys.argv:
    print("zeek version 7.0.4"); sys.exit()
assert open(sys.argv[sys.argv.index("-r") + 1], "rb").read() == b"packets"
assert "LogAscii::use_json=T" in sys.argv
text = open(sys.argv[-1]).read()
if "syntax error" in text:
    sys.exit("fatal error in poll.zeek, line 1: syntax error")
if "quiet" not in text:
    open("notice.log", "w").write({log!r})
"""


@pytest.fixture
def script(tmp_path):
    def written(more: str = ""):
        path = tmp_path / "poll.zeek"
        path.write_text(SCRIPT + more)
        return read_script(path, None)

    return written


@pytest.fixture
def zeek(tmp_path, monkeypatch):
    (tmp_path / "z" / "bin").mkdir(parents=True)
    program = tmp_path / "z" / "bin" / "zeek"
    program.write_text(ZEEK.format(python=sys.executable, log=json.dumps(NOTICE) + "\n"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return installed()


@pytest.fixture
def telemetry(tmp_path):
    capture = tmp_path / "given.pcap"
    capture.write_bytes(b"packets")
    return Telemetry({"flows": SCHEMAS["flows"].empty_table()}, (0, 1), capture=capture)


def test_the_zeek_of_this_machine_says_its_version(zeek, tmp_path):
    assert (zeek.version, zeek.prefix) == ("7.0.4", tmp_path / "z")


def test_without_one_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(zeek_notice, "PLACES", ())
    with pytest.raises(Unsupported, match="there is no Zeek on this machine; install Zeek"):
        installed()


def test_notices_of_a_capture_are_hits(zeek, script, telemetry):
    (hit,) = noticed(script(), zeek, telemetry)
    assert (hit.analytic, hit.time, hit.rule) == ("AN1793", 1_772_409_600_250_000, "Poll::Steady")
    ends = (hit.client, hit.client_port, hit.server, hit.server_port, hit.proto)
    assert ends == ("10.88.0.2", 40000, "198.18.0.9", 443, "tcp")
    assert hit.text == "Zeek notice Poll::Steady: every 300 s 12 times"


def test_a_script_that_notices_nothing_has_no_log(zeek, script, telemetry):
    assert noticed(script("# quiet\n"), zeek, telemetry) == []


def test_a_script_that_zeek_refuses_has_failed(zeek, script, telemetry):
    with pytest.raises(Failed, match=r"zeek ended with code 1: fatal error in poll\.zeek, line 1"):
        noticed(script("# syntax error\n"), zeek, telemetry)


def test_it_sees_the_script_and_the_capture_but_not_what_lies_beside(zeek, script, telemetry, tmp_path):
    if running.reach() != "all":
        pytest.skip("this kernel gives no whole fence")
    (tmp_path / "truth.json").write_text("the answer")
    program = zeek.program
    program.write_text(
        f"#!{sys.executable}\nimport os, sys\nsys.exit(os.path.exists({str(tmp_path / 'truth.json')!r}) * 9)\n"
    )
    assert noticed(script(), zeek, telemetry) == []


def test_remarks_of_zeek_itself_are_none_of_ours(script):
    other = json.dumps(NOTICE | {"note": "SSL::Invalid_Server_Cert"})
    assert list(hits(other.encode(), script())) == []


def test_a_notice_without_a_connection_is_a_hit_by_its_addresses(script):
    row = {"ts": 1.0, "note": "Steady", "msg": "m", "src": "10.88.0.2", "dst": "198.18.0.9", "p": 443}
    (hit,) = hits(json.dumps(row).encode(), script())
    assert (hit.client, hit.client_port, hit.server, hit.server_port) == ("10.88.0.2", 0, "198.18.0.9", 443)


@pytest.mark.parametrize(
    "line", [b"#fields\tts", b"{}", b"[1]", b'{"note": "Steady"}', b'{"note": "Steady", "ts": "x"}']
)
def test_what_is_no_notice_has_failed_with_its_line(script, line):
    with pytest.raises(Failed, match=r"notice\.log, line 2"):
        list(hits(json.dumps(NOTICE).encode() + b"\n" + line, script()))
