"""A phone without a container: the image's scripts over folders of this test."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEM = Path(__file__).parents[5] / "lab/stages/live/handset/image/system"


class Shell:
    """``shell("input tap 1 1")`` as adb would say it; the program that changes uids only notes what it is asked for."""

    def __init__(self, folder: Path, sdk: int) -> None:
        self.data = folder / "data"
        self.data.mkdir()
        tools = folder / "tools"
        tools.mkdir()
        # a real one, run by root, would let force-stop end processes of this machine
        (tools / "setpriv").write_text(f'#!/bin/sh\necho "$*" >>{folder}/switched\n')
        (tools / "setpriv").chmod(0o755)
        self.switched = folder / "switched"
        self.environment = {
            "PATH": f"{tools}:{SYSTEM / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
            "ANDROID_ROOT": str(SYSTEM),
            "ANDROID_DATA": str(self.data),
            "HANDSET_SDK": str(sdk),
            "HANDSET_MODEL": "Model of a test",
            "HANDSET_SERIAL": "phone-01",
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
        }

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", command], env=self.environment, capture_output=True, text=True, timeout=20, check=False
        )

    def __call__(self, command: str) -> str:
        done = self.run(command)
        assert (done.returncode, done.stderr) == (0, ""), (command, done)
        return done.stdout


def booted(folder: Path, sdk: int) -> Shell:
    shell = Shell(folder, sdk)
    shell("boot")
    with (shell.data / "system/packages.list").open("a") as packages:
        packages.write("com.a.chat|10123|1.0|1|3|/data/app/chat.apk\ncom.b.game|10124|2.5|25|3|/data/app/game.apk\n")
    return shell


@pytest.fixture(scope="session", autouse=True)
def _tools():
    if missing := [tool for tool in ("mawk", "flock") if not shutil.which(tool, path=os.environ["PATH"])]:
        pytest.skip(f"the phone's scripts need {', '.join(missing)}")


@pytest.fixture(params=[29, 33, 35])
def shell(request, tmp_path):
    """A freshly booted phone of each release: screen on, keyguard shown, charging."""
    return booted(tmp_path, request.param)


@pytest.fixture
def phone(tmp_path):
    """A freshly booted Android 13."""
    return booted(tmp_path, 33)
