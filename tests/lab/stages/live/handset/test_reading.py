"""What the phone says is what our own tolerant readers of Android's reports understand, in each release's shape."""

from lab.devices import dumpsys, usage


def test_power_and_window_and_activities(shell):
    shell("wm dismiss-keyguard; am start -n com.a.chat/.Main; input tap 1 1")
    power = dumpsys.parse_power(shell("dumpsys power"))
    assert (power.wakefulness, power.screen_on) == ("Awake", True)
    assert power.activity_age_ms is not None
    assert power.activity_age_ms < 5000
    assert dumpsys.parse_window(shell("dumpsys window")) == dumpsys.Window(keyguard=False, focus="com.a.chat")
    activities = dumpsys.parse_activities(shell("dumpsys activity activities"))
    assert (activities.resumed, activities.keyguard) == ("com.a.chat", False)


def test_locked_and_dark(shell):
    shell("wm dismiss-keyguard; am start -n com.a.chat/.Main; input keyevent SLEEP")
    power = dumpsys.parse_power(shell("dumpsys power"))
    assert (power.wakefulness, power.screen_on) == ("Asleep", False)
    assert power.slept_age_ms is not None
    assert dumpsys.parse_window(shell("dumpsys window policy")).keyguard is True
    assert dumpsys.parse_activities(shell("dumpsys activity activities")).resumed is None


def test_processes(shell):
    shell("wm dismiss-keyguard; am start -n com.a.chat/.Main; am start -n com.b.game/.Main")
    rows = dumpsys.parse_processes(shell("dumpsys activity processes"))
    assert [(row.name, row.state) for row in rows] == [
        ("com.b.game", "TOP"),
        ("com.a.chat", "CAC"),
        ("com.android.launcher3", "HOME"),
    ]


def test_idling_and_network(shell):
    shell("dumpsys battery unplug; input keyevent SLEEP; cmd deviceidle force-idle deep")
    idle = dumpsys.parse_deviceidle(shell("dumpsys deviceidle"))
    assert idle == dumpsys.DeviceIdle(deep="IDLE", light="OVERRIDE", forced=True, screen_on=False, charging=False)
    network = dumpsys.parse_connectivity(shell("dumpsys connectivity"))
    assert (network.default_network, network.transports, network.validated) == (100, ("WIFI",), True)


def test_usage(shell):
    shell("wm dismiss-keyguard; am start -n com.a.chat/.Main; input keyevent SLEEP")
    text = shell("dumpsys usagestats")
    events = usage.parse_events(text)
    assert (usage.last_screen(events), usage.last_keyguard(events)) == (False, True)
    assert {total.package for total in usage.parse_totals(text)} == {"com.a.chat", "com.android.launcher3"}


def test_bytes(shell):
    (shell.data / "system/netstats").write_text("10123|FOREGROUND|1787544000|63|5|15|9\n")
    assert usage.parse_netstats(shell("dumpsys netstats detail")) == (
        usage.AppBytes(10123, True, 1787544000, 63, 5, 15, 9),
    )


def test_packages_and_properties(shell):
    assert ("com.a.chat", 10123) in dumpsys.parse_packages(shell("pm list packages -U --user all"))
    assert dumpsys.parse_properties(shell("getprop"))["sys.boot_completed"] == "1"
