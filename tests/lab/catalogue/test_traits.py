"""Who plays which part in a pair of twins."""

from dataclasses import replace

from lab.catalogue.traits import parts_of
from lab.scenario import find_scenario, load_scenario


def test_a_part_is_played_by_the_labelled_and_by_who_imitates_them():
    pair = [load_scenario(find_scenario(name)) for name in ("https-poll-5m", "https-checkin-5m")]
    assert parts_of(pair) == {
        "https-poll-5m": frozenset({"com.orchard.torch"}),
        "https-checkin-5m": frozenset({"com.cobalt.warden"}),
    }
    assert parts_of(pair[:1]) == {}


def test_the_same_app_may_be_guilty_here_and_innocent_there():
    bad, good = (load_scenario(find_scenario(name)) for name in ("https-poll-5m", "https-checkin-5m"))
    torch = next(app for app in bad.apps if app.package == "com.orchard.torch")
    calm = replace(torch, behaviours=tuple(replace(row, label="") for row in torch.behaviours))
    apps = (*(app for app in good.apps if app.package != "com.cobalt.warden"), calm)
    assert parts_of([bad, replace(good, apps=apps)])["https-checkin-5m"] == {"com.orchard.torch"}
