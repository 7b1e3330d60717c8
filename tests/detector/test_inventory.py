"""The inventory: apps by uid or package, and what makes them allowed."""

from __future__ import annotations

from detector.inventory import read_inventory


def test_apps_are_found_by_uid_then_package(made):
    made.app(10_001, "com.example.a", "Mail", roles=("mail",))
    known = read_inventory(made.telemetry()["packages"])
    assert known.find("phone-01", 10_001, None).category == "mail"
    assert known.find("phone-01", None, "com.example.a").roles == {"mail"}
    assert known.find("phone-02", 10_001, "com.example.a") is None
    assert known.find("phone-01", None, None) is None


def test_allowed_says_why(made):
    made.app(10_001, "com.example.a", None, roles=("vpn", "browser"))
    app = read_inventory(made.telemetry()["packages"]).find("phone-01", 10_001, None)
    assert app.allowed((), ("vpn",)) == "the inventory gives it the role vpn"
    assert app.allowed(("com.example.a",), ()) == "com.example.a is in AllowedAppList"
    assert app.allowed((), ("mail",)) is None
