"""The phone's lists, properties, settings and uid switches, as Android's commands tell and change them."""

import re
import subprocess
from pathlib import Path

import pytest

SYSTEM = Path(__file__).parents[5] / "lab/stages/live/handset/image/system"
SCRIPTS = sorted(path for path in SYSTEM.rglob("*") if path.is_file() and path.suffix in {"", ".sh"})


@pytest.mark.parametrize("script", [p for p in SCRIPTS if p.parent.name != "release"], ids=lambda p: p.name)
def test_scripts_are_posix_and_say_what_they_are(script):
    first, *rest = script.read_text().splitlines()
    assert first.startswith("#!/bin/sh" if script.parent.name == "bin" else "# ")
    assert rest[0].startswith("#") or script.suffix == ".sh"
    assert subprocess.run(["/bin/sh", "-n", script], check=False, capture_output=True).returncode == 0
    assert script.parent.name != "bin" or script.stat().st_mode & 0o111


def test_packages_with_their_uids(shell):
    assert set(shell("pm list packages -U").splitlines()) == {
        "package:android uid:1000",
        "package:com.android.launcher3 uid:10001",
        "package:com.a.chat uid:10123",
        "package:com.b.game uid:10124",
    }
    assert shell("cmd package list packages -U") == shell("pm list packages -U")


def test_package_filters(phone):
    assert phone("pm list packages -3").split() == ["package:com.a.chat", "package:com.b.game"]
    assert phone("pm list packages -s").split() == ["package:android", "package:com.android.launcher3"]
    assert phone("pm list packages -3 game") == "package:com.b.game\n"
    assert phone("pm list packages -f -U game") == "package:/data/app/game.apk=com.b.game uid:10124\n"
    assert phone("pm list packages --show-versioncode --user 0 game") == "package:com.b.game versionCode:25\n"
    assert phone("pm path com.b.game") == "package:/data/app/game.apk\n"
    assert phone.run("pm path com.none").returncode == 1


def test_installing_and_uninstalling(phone, tmp_path):
    apk = tmp_path / "org.new.thing.apk"
    apk.write_bytes(b"PK\x03\x04 and more")
    assert phone(f"pm install -r -t {apk}") == "Success\n"
    assert "package:org.new.thing uid:10125\n" in phone("pm list packages -U")
    assert phone(f"pm install -r {apk}") == "Success\n"
    assert phone("pm list packages").count("org.new.thing") == 1
    phone("wm dismiss-keyguard; am start -n org.new.thing/.Main")
    assert phone("pm uninstall org.new.thing") == "Success\n"
    assert "org.new.thing" not in phone("pm list packages; dumpsys activity processes; dumpsys window")
    assert phone.run("pm uninstall org.new.thing").stdout == "Failure [DELETE_FAILED_INTERNAL_ERROR]\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [("org.new.thing.apk", b"text"), ("nodots.apk", b"PK\x03\x04"), ("org.a|b.apk", b"PK\x03\x04"), ("org.e.apk", b"")],
)
def test_what_is_no_package_is_not_installed(phone, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    before = phone("pm list packages")
    done = phone.run(f"pm install '{tmp_path / name}'")
    assert done.returncode == 1
    assert done.stdout.startswith("Failure [INSTALL_PARSE_FAILED_")
    assert phone("pm list packages") == before


def test_package_dump(phone):
    text = phone("dumpsys package com.b.game")
    assert re.search(r"Package \[com\.b\.game\] \(\w+\):\n    userId=10124\n", text)
    assert "versionCode=25" in text
    assert "com.a.chat" not in text


def test_properties(shell):
    sdk = int(shell("getprop ro.build.version.sdk"))
    assert shell("getprop ro.build.version.release") == {29: "10\n", 33: "13\n", 35: "15\n"}[sdk]
    assert shell("getprop ro.product.model") == "Model of a test\n"
    assert shell("getprop sys.boot_completed") == "1\n"
    assert shell("getprop none.such") == "\n"
    assert shell("getprop none.such fallback") == "fallback\n"
    assert "[ro.serialno]: [phone-01]\n" in shell("getprop")
    assert all(re.fullmatch(r"\[[\w.]+\]: \[.*\]", line) for line in shell("getprop").splitlines())


def test_setting_properties(phone):
    phone("setprop debug.a.b 'one two=3'; setprop debug.a.b second")
    assert phone("getprop debug.a.b") == "second\n"
    assert phone("getprop").count("debug.a.b") == 1
    done = phone.run("setprop ro.product.model other")
    assert done.returncode == 1
    assert phone("getprop ro.product.model") == "Model of a test\n"


def test_settings(phone):
    assert phone("settings get global http_proxy") == "null\n"
    phone("settings put global http_proxy 10.0.0.1:8080")
    assert phone("settings get global http_proxy") == "10.0.0.1:8080\n"
    assert "http_proxy=10.0.0.1:8080\n" in phone("settings list global")
    phone("settings delete global http_proxy")
    assert "http_proxy" not in phone("settings list global")
    assert phone.run("settings get planetary x").returncode == 255


def test_staying_awake_while_charging(phone):
    assert "mStayOn=false" in phone("dumpsys power")
    phone("svc power stayon true")
    assert "mStayOn=true" in phone("dumpsys power")
    assert phone("settings get global stay_on_while_plugged_in") == "7\n"
    phone("dumpsys battery unplug")
    assert "mStayOn=false" in phone("dumpsys power")


def test_su_as_in_aosp(phone):
    phone("su 10123 toybox nc host 1; su root id; su shell,shell id; su 10123")
    switched = [line.split(" ", 5) for line in phone.switched.read_text().splitlines()]
    assert [words[1] for words in switched] == ["10123", "0", "2000", "10123"]
    assert [words[5] for words in switched] == ["toybox nc host 1", "id", "id", "sh"]
    assert phone.run("su -c id").returncode == 1
    assert phone.run("su nobody id").returncode == 1


def test_run_as_knows_packages(phone):
    phone("run-as com.a.chat id -u")
    assert phone.switched.read_text() == "--reuid 10123 --regid 10123 --clear-groups id -u\n"
    assert phone.run("run-as com.none id").stderr == "run-as: unknown package: com.none\n"
    assert phone.run("run-as com.android.launcher3 id").returncode == 1
    assert phone.switched.read_text().count("\n") == 1


def test_netstats_tell_what_somebody_counted_and_nothing_else(shell):
    assert "uid=" not in shell("dumpsys netstats detail")
    (shell.data / "system/netstats").write_text(
        "10123|FOREGROUND|1787544000|63|5|15|9\n10124|DEFAULT|1787544000|1|1|1|1\n10123|FOREGROUND|1787547600|2|1|3|1\n"
    )
    text = shell("dumpsys netstats detail")
    assert re.search(
        r"uid=10123 set=FOREGROUND tag=0x0\n    NetworkStatsHistory: bucketDuration=3600\n"
        r"      st=1787544000 rb=63 rp=5 tb=15 tp=9 op=0\n      st=1787547600 rb=2 rp=1 tb=3 tp=1 op=0\n",
        text,
    )
    assert text.index("UID stats:") < text.index("uid=10123") < text.index("UID tag stats:")


def test_shapes_differ_by_release(shell):
    new = int(shell("getprop ro.build.version.sdk")) >= 31
    assert ("Display Power: state=ON" in shell("dumpsys power")) is not new
    assert ("Display Group User Activity:" in shell("dumpsys power")) is new
    assert ("topResumedActivity=" in shell("wm dismiss-keyguard; dumpsys activity activities")) is new


def test_services_that_are_not_there(phone):
    assert "Can't find service: nfc" in phone.run("dumpsys nfc").stderr
    assert phone.run("cmd nfc").returncode == 20
    assert phone.run("dumpsys ../../bin/boot").returncode == 255
    assert "  power\n" in phone("dumpsys -l")


def test_a_stranger_is_told_nothing(phone):
    (phone.data / "system/state").unlink()
    for command in ("dumpsys power", "input tap 1 1", "cmd activity get-uid-state 1"):
        done = phone.run(command)
        assert (done.returncode, done.stdout) == (255, "")
        assert "Permission Denial" in done.stderr


def test_booting_again_makes_a_fresh_phone(phone):
    phone("wm dismiss-keyguard; am start -n com.a.chat/.M; setprop debug.x 1; settings put global y 1; boot")
    assert phone("getprop debug.x") == "\n"
    assert "com.a.chat" not in phone("pm list packages; dumpsys usagestats; dumpsys window; settings list global")


def test_an_unknown_release_does_not_boot(phone):
    done = phone.run("HANDSET_SDK=30 boot")
    assert done.returncode == 2
    assert "known: 29 33 35" in done.stderr


def test_connectivity_and_log(phone):
    assert "Active default network: 100" in phone("dumpsys connectivity")
    assert phone("logcat -d").startswith("--------- beginning of main")
    assert phone("wm size") == "Physical size: 1080x2340\n"
