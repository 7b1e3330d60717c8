"""What Android's commands change is seen in every dump that tells of it, in the shapes of each release."""

import re

import pytest


def awake(shell):
    return re.search(r"^  mWakefulness=(\w+)$", shell("dumpsys power"), re.MULTILINE)[1]


def keyguard(shell):
    return re.search(r"^ +showing=(\w+)$", shell("dumpsys window policy"), re.MULTILINE)[1]


def resumed(shell):
    found = re.search(
        r"(?:topResumedActivity=|mResumedActivity: )ActivityRecord\{\S+ u0 ([\w.]+)/\S+ t\d+\}",
        shell("dumpsys activity activities"),
    )
    return found and found[1]


def events(shell):
    return re.findall(r'time="[-\d: ]{19}" type=(\w+) package=([\w.]+)', shell("dumpsys usagestats"))


def idle(shell):
    return re.search(r"mState=(\w+) mLightState=(\w+)$", shell("dumpsys deviceidle"), re.MULTILINE).groups()


def opened(shell):
    shell("wm dismiss-keyguard; am start -n com.a.chat/.Main")


def test_a_fresh_phone_is_awake_and_locked(shell):
    assert (awake(shell), keyguard(shell), resumed(shell)) == ("Awake", "true", None)
    assert "isKeyguardShowing=true" in shell("dumpsys window")
    assert "mKeyguardShowing=true" in shell("dumpsys activity activities")
    assert idle(shell) == ("ACTIVE", "ACTIVE")


def test_an_opened_app_is_in_front_everywhere(shell):
    opened(shell)
    assert (keyguard(shell), resumed(shell)) == ("false", "com.a.chat")
    assert re.search(r"mCurrentFocus=Window\{\w+ u0 com\.a\.chat/", shell("dumpsys window"))
    assert re.search(r"T/A/TOP .*:com\.a\.chat/u0a123 \(top-activity\)", shell("dumpsys activity processes"))
    assert re.search(r":com\.a\.chat/u0a123 \(top-activity\)", shell("dumpsys activity o"))
    assert shell("cmd activity get-uid-state 10123") == "2 (TOP)\n"
    assert ("ACTIVITY_RESUMED", "com.a.chat") in events(shell)


def test_sleep_locks_and_pauses(shell):
    opened(shell)
    shell("input keyevent KEYCODE_SLEEP")
    assert (awake(shell), keyguard(shell), resumed(shell)) == ("Asleep", "true", None)
    assert "TOP_SLEEPING" in shell("cmd activity get-uid-state 10123")
    assert "(top-sleeping)" in shell("dumpsys activity processes")
    assert "isSleeping=true" in shell("dumpsys activity activities")
    assert "mScreenOn=false" in shell("dumpsys deviceidle")
    assert events(shell)[-4:] == [
        ("SCREEN_NON_INTERACTIVE", "android"),
        ("KEYGUARD_SHOWN", "android"),
        ("ACTIVITY_PAUSED", "com.a.chat"),
        ("ACTIVITY_STOPPED", "com.a.chat"),
    ]


def test_waking_does_not_unlock_and_the_app_comes_back_with_the_lock_gone(shell):
    opened(shell)
    shell("input keyevent SLEEP WAKEUP")
    assert (awake(shell), keyguard(shell), resumed(shell)) == ("Awake", "true", None)
    shell("input keyevent 82")
    assert (keyguard(shell), resumed(shell)) == ("false", "com.a.chat")


def test_the_power_key_is_a_switch(phone):
    states = []
    for _ in range(3):
        phone("input keyevent 26")
        states.append(awake(phone))
    assert states == ["Asleep", "Awake", "Asleep"]


def test_a_swipe_up_opens_and_a_tap_does_not(phone):
    phone("input tap 500 500")
    assert keyguard(phone) == "true"
    phone("input swipe 500 1500 500 300")
    assert keyguard(phone) == "false"


def test_an_app_started_in_the_dark_is_seen_when_unlocked(phone):
    phone("input keyevent SLEEP; am start -n com.b.game/.Main")
    assert resumed(phone) is None
    phone("input keyevent WAKEUP; wm dismiss-keyguard")
    assert resumed(phone) == "com.b.game"


def test_home_brings_the_launcher(phone):
    opened(phone)
    phone("input keyevent HOME")
    assert resumed(phone) == "com.android.launcher3"


def test_without_a_keyguard_sleep_does_not_lock(phone):
    phone("locksettings set-disabled true; input keyevent SLEEP WAKEUP")
    assert keyguard(phone) == "false"
    assert phone("locksettings get-disabled") == "true\n"


def touched(shell):
    text = shell("dumpsys power")
    return tuple(map(int, re.search(r"astUserActivityTime=(\d+) \((\d+) ms ago\)", text).groups()))


def test_a_tap_is_the_last_interaction_and_not_in_the_dark(shell):
    first, _ = touched(shell)
    record = shell.data / "system/state"
    record.write_text(record.read_text().replace(f"touched={first}", f"touched={first - 5000}"))
    assert touched(shell)[1] >= 5000
    shell("input tap 10 10")
    tapped, ago = touched(shell)
    assert tapped >= first
    assert ago < 3000
    shell("input keyevent SLEEP")
    record.write_text(record.read_text().replace(f"touched={tapped}", f"touched={tapped - 7000}"))
    shell("input tap 10 10")
    assert touched(shell)[0] == tapped - 7000


def test_forced_idling_by_steps(shell):
    shell("dumpsys battery unplug; input keyevent SLEEP")
    assert idle(shell) == ("INACTIVE", "INACTIVE")
    assert shell("cmd deviceidle force-idle light") == "Now forced in to light idle mode\n"
    assert idle(shell) == ("INACTIVE", "IDLE")
    assert "mLightDeviceIdleMode=true" in shell("dumpsys power")
    assert shell("cmd deviceidle step light") == "Stepped to light: IDLE_MAINTENANCE\n"
    assert shell("dumpsys deviceidle force-idle") == "Now forced in to deep idle mode\n"
    assert idle(shell) == ("IDLE", "OVERRIDE")
    assert "mDeviceIdleMode=true" in shell("dumpsys power")
    assert shell("cmd deviceidle step") == "Stepped to deep: IDLE_MAINTENANCE\n"
    assert shell("cmd deviceidle get deep") == "IDLE_MAINTENANCE\n"
    assert shell("cmd deviceidle unforce") == "Light state: OVERRIDE, deep state: IDLE_MAINTENANCE\n"
    shell("input keyevent WAKEUP")
    assert idle(shell) == ("ACTIVE", "ACTIVE")


def test_forced_idling_outlives_the_screen_until_unforced(phone):
    phone("cmd deviceidle force-idle deep; input keyevent SLEEP WAKEUP")
    assert idle(phone) == ("IDLE", "OVERRIDE")
    phone("cmd deviceidle unforce")
    assert idle(phone) == ("ACTIVE", "ACTIVE")


def test_light_idling_is_out_of_reach_from_deep(phone):
    phone("cmd deviceidle force-idle deep")
    done = phone.run("cmd deviceidle force-idle light")
    assert (done.returncode, done.stdout) == (255, "Unable to go light idle; stopped at OVERRIDE\n")


def test_a_charging_phone_does_not_idle(phone):
    phone("input keyevent SLEEP")
    assert idle(phone) == ("ACTIVE", "ACTIVE")
    phone("dumpsys battery unplug")
    assert idle(phone) == ("INACTIVE", "INACTIVE")
    assert "mIsPowered=false" in phone("dumpsys power")
    phone("dumpsys battery reset")
    assert idle(phone) == ("ACTIVE", "ACTIVE")
    assert "AC powered: true" in phone("dumpsys battery")


def test_force_stop_ends_the_uid_and_the_launcher_is_back(phone):
    opened(phone)
    phone("am force-stop com.a.chat")
    assert resumed(phone) == "com.android.launcher3"
    assert "NONEXISTENT" in phone("cmd activity get-uid-state 10123")
    assert phone.switched.read_text() == "--reuid 10123 --regid 10123 --clear-groups sh -c kill -9 -1\n"


def test_kill_spares_the_app_in_front(phone):
    opened(phone)
    phone("am start -n com.b.game/.Main; am kill com.a.chat; am kill com.b.game")
    processes = phone("dumpsys activity processes")
    assert "com.b.game" in processes
    assert "com.a.chat" not in processes
    assert not phone.switched.exists()


@pytest.mark.parametrize("command", ["am start -n com.c.none/.Main", "monkey -p com.c.none 1"])
def test_an_app_that_is_not_there_does_not_start(phone, command):
    done = phone.run(command)
    assert done.returncode != 0
    assert phone("dumpsys usagestats").count("com.c.none") == 0


def test_an_app_is_started_by_its_launcher_intent(phone):
    phone("wm dismiss-keyguard")
    phone("am start -a android.intent.action.MAIN -c android.intent.category.LAUNCHER -p com.b.game")
    assert resumed(phone) == "com.b.game"


def test_monkey_starts_an_app(phone):
    phone("wm dismiss-keyguard")
    assert phone("monkey -p com.b.game -c android.intent.category.LAUNCHER 1") == "Events injected: 1\n"
    assert resumed(phone) == "com.b.game"


def test_use_is_summed_by_package(phone):
    opened(phone)
    log = phone.data / "system/usagestats"
    lines = log.read_text().splitlines()
    # the app came to the front 70 minutes earlier than it did
    moved = [
        f"{int(line.split('|')[0]) - 4_200_000}|ACTIVITY_RESUMED|com.a.chat" if "RESUMED|com.a.chat" in line else line
        for line in lines
    ]
    log.write_text("\n".join(moved) + "\n")
    phone("input keyevent SLEEP")
    assert re.search(r'package=com\.a\.chat totalTimeUsed="1:10:0\d" .*appLaunchCount=1', phone("dumpsys usagestats"))


def test_old_usage_events_are_not_told(phone):
    log = phone.data / "system/usagestats"
    day_old = int(log.read_text().split("|")[0]) - 86_500_000
    log.write_text(f"{day_old}|ACTIVITY_RESUMED|com.b.game\n" + log.read_text())
    assert "com.b.game" not in phone("dumpsys usagestats")


def test_usage_events_do_not_grow_for_ever(phone):
    record, log = phone.data / "system/state", phone.data / "system/usagestats"
    log.write_text(log.read_text().splitlines()[0] + "\n" + "1|SCREEN_INTERACTIVE|android\n" * 1498)
    record.write_text(re.sub(r"events=\d+", "events=1499", record.read_text()))
    phone("input keyevent SLEEP")
    assert len(log.read_text().splitlines()) == 1000
    assert "events=1000" in record.read_text()
    assert events(phone) == [("SCREEN_NON_INTERACTIVE", "android")]


def test_two_dozen_processes_at_most_and_a_record_of_one_page(phone):
    with (phone.data / "system/packages.list").open("a") as packages:
        for n in range(40):
            packages.write(f"com.{'x' * 92}.a{n}|{10200 + n}|1|1|3|/data/app/x.apk\n")
    phone("wm dismiss-keyguard; " + "; ".join(f"am start -n com.{'x' * 92}.a{n}/.M" for n in range(40)))
    assert phone("dumpsys activity o").count("Proc #") == 24
    assert (phone.data / "system/state").stat().st_size == 4096
    assert resumed(phone) == f"com.{'x' * 92}.a39"


def test_writers_take_turns(phone):
    """Sixteen at once: none may undo what another did (without the lock, some events or pids are lost)."""
    phone("wm dismiss-keyguard")
    before = len((phone.data / "system/usagestats").read_text().splitlines())
    phone("for n in 1 2 3 4 5 6 7 8; do input keyevent 26 & input keyevent 26 & done; wait")
    assert awake(phone) == "Awake"  # an even number of presses
    log = (phone.data / "system/usagestats").read_text().splitlines()
    assert sum("SCREEN_" in line for line in log[before:]) == 16
