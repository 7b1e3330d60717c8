"""Bug reports: packages, states."""

import pytest

from detector.imports.bugreport import read_report

REPORT = """========================================================
== dumpstate: 2026-03-02 12:00:00
========================================================
[persist.sys.timezone]: [Europe/Berlin]
DUMP OF SERVICE power:
  mWakefulness=Asleep
DUMP OF SERVICE window:
    mKeyguardShowing=true
DUMP OF SERVICE deviceidle:
  mState=IDLE mLightState=OVERRIDE
Battery History (2% used, 83KB used of 4096KB, 219 strings using 15KB):
                    0 (9) RESET:TIME: 2026-03-02-11-50-00
                    0 (2) 098 status=discharging
               +1m02s345ms (2) 098 +running +screen
               +5m00s000ms (2) 097 -screen
            +1h00m00s000ms (2) 096 device_idle=full
DUMP OF SERVICE package:
  Package [org.example.app] (abc):
    userId=10123
  Package [org.example.other] (abd):
    appId=10124
"""


def test_states_follow_the_battery_history_and_the_report(opened, account):
    rows = read_report(opened(REPORT.encode()), account).tables["device_state"].to_pylist()
    start = 1_772_448_600_000_000  # 11:50 in Berlin is 10:50 in UTC
    assert [(row["time"] - start, row["screen_on"], row["power_state"]) for row in rows] == [
        (62_345_000, True, "interactive"),
        (300_000_000, False, "idle"),
        (3_600_000_000, False, "doze-deep"),
        (600_000_000, False, "doze-deep"),
    ]
    assert [row["locked"] for row in rows] == [None, None, None, True]
    assert {row["device"] for row in rows} == {None}


def test_packages_have_their_uids(opened, account):
    rows = read_report(opened(REPORT.encode()), account).tables["packages"].to_pylist()
    assert [(row["package"], row["uid"]) for row in rows] == [("org.example.app", 10123), ("org.example.other", 10124)]
    assert account.settled()


@pytest.mark.parametrize(
    "text", ["", "== dumpstate: nonsense", "Battery History\n +9m (1) +screen\n", "[persist.sys.timezone]: [No/Where]"]
)
def test_what_is_not_found_is_not_guessed(opened, account, text):
    assert read_report(opened(text.encode()), account).tables == {}
