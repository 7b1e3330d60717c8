"""Programs that mean harm: each does nothing outside and ends within its limits. With the fence off, each does harm."""

import os
import socket
from dataclasses import replace

import pytest

from detector.fenced import Failed

GOT = 7  # the exit code of a program that got what it wanted


@pytest.fixture
def outside(tmp_path):
    """A file that a detector must not see, in a folder it must not write to."""
    place = tmp_path / "truth"
    place.mkdir()
    (place / "incidents.json").write_text("the answer")
    return place


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def harms(outside, listener) -> dict[str, str]:
    """Texts of programs that exit with GOT where the harm is done."""
    truth, port = str(outside / "incidents.json"), listener.getsockname()[1]
    done = f"; os._exit({GOT})"
    tries = {
        "read": f"open({truth!r}).read()",
        "read-by-link": f"os.symlink({truth!r}, 'link'); open('link').read()",
        "read-by-proc": f"open('/proc/{os.getpid()}/root' + {truth!r}).read()",
        "list": f"os.listdir({str(outside)!r})",
        "write": f"open({str(outside / 'planted')!r}, 'w').write('x')",
        "delete": f"os.unlink({truth!r})",
        "append-to-interpreter": "open(os.path.join(sys.prefix, 'planted-by-a-test'), 'w').close(); os.unlink(os.path.join(sys.prefix, 'planted-by-a-test'))",
        "connect": f"socket.create_connection(('127.0.0.1', {port}), 2)",
        "leave-loopback": "assert len(socket.if_nameindex()) > 1",
        "see-the-caller": f"open('/proc/{os.getpid()}/cmdline').read()",
        "signal-the-caller": f"os.kill({os.getpid()}, 0)",
    }
    return {name: f"import os, socket, sys; {text}{done}" for name, text in tries.items()}


NAMES = (
    *("read", "read-by-link", "read-by-proc", "list", "write", "delete", "append-to-interpreter", "connect"),
    *("leave-loopback", "see-the-caller", "signal-the-caller"),
)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_outside_is_within_reach(program, outside, listener, whole_fence, name):
    ended = program(harms(outside, listener)[name])
    assert ended.code == 1, ended.told
    assert [path.name for path in outside.iterdir()] == ["incidents.json"]


@pytest.mark.parametrize("name", NAMES)
def test_with_the_fence_off_the_same_program_does_its_harm(program, outside, listener, no_fence, name):
    assert program(harms(outside, listener)[name]).code == GOT


def test_what_it_may_read_it_cannot_change_even_in_its_own_folder(program, whole_fence):
    given = program.folder / "telemetry"
    given.mkdir()
    (given / "flows.parquet").write_text("as it was")
    text = "import os\nprint(open('telemetry/flows.parquet').read())\nopen('telemetry/flows.parquet', 'w')"
    ended = program(text, reads=[given])
    assert ended.stdout == b"as it was\n"
    assert "Read-only file system" in ended.told
    assert program(text).code == 0, "not so where it is merely in the folder"


def test_it_cannot_make_itself_another_cell_or_mount_anything(program, whole_fence):
    for text in (
        "os.execvp('unshare', ['unshare', '-Urm', 'true'])",
        "os.execvp('mount', ['mount', '-t', 'tmpfs', 'x', '.'])",
    ):
        assert program(f"import os; {text}").code != 0


def test_it_has_no_rights_beyond_files(program, whole_fence):
    said = program(
        "print([line for line in open('/proc/self/status') if line.startswith(('CapEff', 'NoNewPrivs'))])"
    ).stdout
    assert b"NoNewPrivs:\\t1" in said
    assert b"CapEff:\\t000000000000000" in said


FORKS = """
import os, time
for _ in range(60):
    try:
        if os.fork() == 0: time.sleep(6); os._exit(0)
    except BlockingIOError: time.sleep(3)
time.sleep(0.5)
"""
HOLDS = """
import os, time
for _ in range(5):
    if os.fork() == 0: x = b'x' * (130 << 20); time.sleep(6); os._exit(0)
time.sleep(6)
"""
BIG = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
open('big', 'wb').write(b'x' * (8 << 20))
"""
#: What is too much, the word of the limit it reaches, and the limits under which the very same program ends well.
BOMBS = {
    "processes": (FORKS, "processes and threads", {"processes": 200, "memory": 4 << 30}),
    "threads": (
        "import threading, time\nfor _ in range(60): threading.Thread(target=time.sleep, args=(3,)).start()",
        "processes and threads",
        {"processes": 200, "memory": 4 << 30},
    ),
    "memory-together": (HOLDS, "bytes of memory", {"memory": 4 << 30}),
    "computing": (
        "import time\nwhile time.process_time() < 1.3: pass",
        "computed longer than 1 s",
        {"cpu_seconds": 10},
    ),
    "stdout": ("import sys\nfor _ in range(80): sys.stdout.write('x' * 100_000)", "to stdout", {"output": 64 << 20}),
    "stderr": ("import sys\nfor _ in range(80): sys.stderr.write('x' * 100_000)", "stderr", {"output": 64 << 20}),
    "file": (BIG, "wrote a file of more than", {"output": 64 << 20}),
    "files": (
        "import time\nfor n in range(8): open(f'part{n}', 'wb').write(b'x' * (1 << 20))\ntime.sleep(3)",
        "into its folder",
        {"output": 64 << 20},
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_ended_at_its_limit_and_the_limit_is_told(program, name):
    text, word, _ = BOMBS[name]
    limits = replace(program.limits, cpu_seconds=1) if name == "computing" else program.limits
    with pytest.raises(Failed, match=word):
        program(text, limits=limits)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_under_wider_limits_goes_off(program, name):
    text, _, wider = BOMBS[name]
    ended = program(text, limits=replace(program.limits, **wider))
    assert ended.code == 0, ended.told


def test_a_limit_that_it_is_told_of_is_its_own_fault(program):
    ended = program("open('big', 'wb').write(b'x' * (8 << 20))")
    assert (ended.code, "File too large" in ended.told) == (1, True)


def test_address_space_has_an_end_which_the_program_itself_is_told(program):
    assert "MemoryError" in program("x = b'x' * (3 << 30)").told


@pytest.mark.parametrize(
    "text", ["import os\nwhile True: os.fork()", "import os\nos.execvp('sh', ['sh', '-c', ':(){ :|:& };:; wait'])"]
)
def test_a_fork_bomb_without_end_is_ended(program, whole_fence, text):
    ends = "processes and threads|longer than|code"
    with pytest.raises(Failed, match=ends):
        raise Failed(f"code {program(text).code}")  # it may see the kernel's refusal first, and end by itself


def test_ten_million_lines_are_ended_at_the_limit_of_output(program):
    with pytest.raises(Failed, match="more than 4,194,304 bytes"):
        program('import sys\nfor _ in range(10_000_000): sys.stdout.write(\'{"analytic": "AN1793"}\\n\')')


def test_sleeping_without_end_is_ended(program):
    with pytest.raises(Failed, match="longer than 1 s"):
        program("import time; time.sleep(3600)", limits=replace(program.limits, seconds=1.0))


def test_whoever_ignores_signals_is_ended(program):
    text = "import signal, time\nfor n in (1, 2, 3, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: time.sleep(1)"
    with pytest.raises(Failed, match="longer than 1 s"):
        program(text, limits=replace(program.limits, seconds=1.0))
