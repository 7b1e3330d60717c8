"""What is counted of others' processes and folders."""

import os
import subprocess
import sys

from detector.fenced import watch


def test_a_process_its_threads_and_its_children_are_counted(tmp_path):
    text = (
        "import os, sys, threading, time\n"
        "threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\n"
        "if os.fork() == 0: x = b'x' * (64 << 20); print('ready', flush=True); time.sleep(30)\n"
        "time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout.readline() == b"ready\n"
        tasks, memory = watch.used(os.getpid())
        (child,) = watch.descendants(parent.pid)
        assert {parent.pid, child} <= set(watch.descendants(os.getpid()))
        os.kill(child, 9)
        parent.kill()
    assert tasks >= 3
    assert memory >= 64 << 20


def test_nobody_uses_nothing():
    assert watch.used(2**22 + 1) == (0, 0)


def test_bytes_below_a_folder_are_added_up_and_links_lead_nowhere(tmp_path):
    (tmp_path / "sub").mkdir()
    before = watch.stored(tmp_path)
    (tmp_path / "sub" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "link").symlink_to("/usr")
    assert 100_000 <= watch.stored(tmp_path) - before < 120_000


def test_too_many_files_are_not_counted_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "FILES", 10)
    for number in range(11):
        (tmp_path / str(number)).write_bytes(b"")
    assert watch.stored(tmp_path) > 1 << 60


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert watch.stored(tmp_path / "gone") == 0
