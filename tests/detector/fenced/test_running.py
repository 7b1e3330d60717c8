"""What a program gets, and how each way to end is told."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from detector.fenced import Failed, Limits, left_open, run, running
from detector.fenced.order import OPEN


def test_a_program_ends_with_its_code_and_what_it_said(program):
    ended = program("import sys; print('found'); sys.stderr.write('a word'); sys.exit(127)")
    assert (ended.code, ended.stdout, ended.stderr) == (127, b"found\n", b"a word")
    assert ended.open == left_open()


def test_what_it_writes_into_its_folder_stays_and_belongs_to_it(program):
    program("open('out.txt', 'w').write('kept')")
    assert (program.folder / "out.txt").read_text() == "kept"


def test_it_hears_stdin_and_sees_the_environment_it_was_given_and_no_other(program, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    text = "import os, sys; print(sys.stdin.read(), os.environ.get('MORE'), sorted(os.environ))"
    said = program(text, stdin=b"given", environment={"MORE": "2"}).stdout.decode()
    assert said.startswith("given 2 ")
    assert not any(name in said for name in ("SECRET", "HOME", "PROXY", "proxy"))


def test_only_the_end_of_stderr_is_kept(program):
    ended = program("import sys; sys.stderr.write('x' * 100_000 + 'the end')")
    assert len(ended.stderr) == 4096
    assert ended.stderr.endswith(b"the end")


def test_a_signal_is_a_code_above_128(program):
    assert program("import os; os.abort()").code == 128 + signal.SIGABRT


def test_a_program_that_is_not_there_has_failed_and_is_named(tmp_path):
    with pytest.raises(Failed, match="no-such-program: not found"):
        run(["no-such-program"], folder=tmp_path)


def test_a_file_that_is_no_program_has_failed(tmp_path):
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x00\x01")
    junk.chmod(0o755)
    with pytest.raises(Failed, match=r"junk could not be run.*Exec format error"):
        run([str(junk)], folder=tmp_path)


def test_a_folder_that_is_not_there_is_our_own_mistake(tmp_path):
    with pytest.raises(FileNotFoundError):
        run([sys.executable], folder=tmp_path / "nowhere")


@pytest.mark.parametrize("reach", OPEN)
def test_children_that_outlive_it_are_ended(program, monkeypatch, reach):
    if reach == "all" and running.reach() != "all":
        pytest.skip("this kernel gives no whole fence")
    monkeypatch.setattr(running, "reach", lambda: reach)
    child = (
        "import os, time\nif os.fork() == 0:\n os.setsid()\n while True: open('alive', 'w').close(); time.sleep(0.02)"
    )
    program(child + "\nwhile not os.path.exists('alive'): time.sleep(0.02)")
    alive = program.folder / "alive"
    assert alive.exists(), "the child did live"
    alive.unlink()
    time.sleep(0.2)
    assert not alive.exists()


def test_an_interrupt_ends_what_runs(program):
    text = "import time\nwhile True: open('alive', 'w').close(); time.sleep(0.02)"
    alive = program.folder / "alive"

    def interrupt():
        while not alive.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        program(text)
    thread.join()
    alive.unlink()
    time.sleep(0.2)
    assert not alive.exists()


def test_whoever_ran_it_being_killed_ends_what_runs(tmp_path):
    text = "import time\nwhile True: open('alive', 'w').close(); time.sleep(0.02)"
    call = f"import sys; from pathlib import Path; from detector.fenced import run; run([sys.executable, '-c', {text!r}], folder=Path({str(tmp_path)!r}))"
    caller = subprocess.Popen([sys.executable, "-c", call], cwd=Path(__file__).parents[3])
    alive = tmp_path / "alive"
    while not alive.exists():
        time.sleep(0.02)
        assert caller.poll() is None
    caller.kill()
    caller.wait()
    time.sleep(0.3)
    alive.unlink()
    time.sleep(0.2)
    assert not alive.exists()


def test_a_fence_that_does_not_stand_is_said_once(monkeypatch, caplog):
    monkeypatch.setattr(running, "execute", lambda _order: (_ for _ in ()).throw(Failed("no namespaces here")))
    running.reach.cache_clear()
    try:
        assert [running.reach(), running.reach()] == ["none", "none"]
        assert left_open() == ("network", "files", "processes")
    finally:
        monkeypatch.undo()
        running.reach.cache_clear()
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 1
    assert "network, files, processes" in told[0]


def test_time_that_is_up_is_told_with_the_limit_and_the_last_words(program):
    text = "import sys, time; print('still here', file=sys.stderr, flush=True); time.sleep(60)"
    with pytest.raises(Failed, match=r"ran longer than 6 s; on stderr: still here"):
        program(text, limits=Limits(seconds=6.0))
