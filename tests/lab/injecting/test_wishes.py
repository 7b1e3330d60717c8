"""Which devices may have which address."""

import pytest

from lab.errors import ScenarioError
from lab.injecting.wishes import granted

NAMES = ["phone-01", "phone-02"]


def test_a_bare_address_is_the_only_devices():
    assert granted({"": "192.168.7.9"}, NAMES[:1]) == {"phone-01": "192.168.7.9"}
    assert granted({"phone-02": "2001:DB8::9"}, NAMES) == {"phone-02": "2001:db8::9"}
    assert granted({}, NAMES) == {}


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        ({"": "192.168.7.9"}, "expected NAME=IP"),
        ({"phone-03": "192.168.7.9"}, "expected one of phone-01, phone-02"),
        ({"phone-01": "home"}, "expected an IP address"),
        ({"phone-01": "224.0.0.1"}, "address of a host"),
        ({"phone-01": "192.168.7.9", "phone-02": "192.168.7.9"}, "one for each"),
    ],
)
def test_what_cannot_be_granted_is_refused(wish, fault):
    with pytest.raises(ScenarioError, match=fault):
        granted(wish, NAMES)
