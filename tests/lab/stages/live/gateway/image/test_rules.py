import pytest

from lab.stages.live.gateway.image.rules import Plan, changes, ruleset

RULES = """\
add table ip droidrange_gateway
delete table ip droidrange_gateway
table ip droidrange_gateway {
  set intercepted { type ipv4_addr . inet_service; }
  set exempted { type ipv4_addr . inet_service; }
  set pinning { type ipv4_addr . ipv4_addr . inet_service; }
  counter refused { }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "lab0" accept
    ip daddr 10.88.0.1 udp dport 53 redirect to :5300
    ip daddr 10.88.0.1 tcp dport 53 redirect to :5300
    ip daddr . tcp dport @exempted accept
    ip saddr . ip daddr . tcp dport @pinning accept
    ip daddr . tcp dport @intercepted redirect to :8888-8919
    tcp dport { 80, 443, 8080, 8443 } redirect to :8888-8919
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "lab0" oifname "inet0" ip saddr 10.88.0.0/16 ip daddr { 10.88.0.0/16, 198.18.0.0/15 } accept
    iifname "inet0" oifname "lab0" ip saddr { 10.88.0.0/16, 198.18.0.0/15 } ip daddr 10.88.0.0/16 accept
    counter name refused
  }
}
"""


def test_the_rules_before_any_plan():
    assert ruleset() == RULES


def test_a_plan_changes_the_sets_at_once():
    row = {
        "redirect": [["198.18.0.9", 5228], ["198.18.0.1", 8000], ["198.18.0.1", 8000]],
        "exempt": [["198.18.0.2", 443]],
        "pinned": [["10.88.1.10", "198.18.0.3", 443]],
        "resolver_upstream": ["100.64.77.2", 53],
        "folder": "run-1",
    }
    plan = Plan.read(row)
    assert plan.resolver == ("100.64.77.2", 53)
    assert plan.folder == "run-1"
    assert changes(plan).splitlines() == [
        "flush set ip droidrange_gateway intercepted",
        "flush set ip droidrange_gateway exempted",
        "flush set ip droidrange_gateway pinning",
        "add element ip droidrange_gateway intercepted { 198.18.0.1 . 8000, 198.18.0.9 . 5228 }",
        "add element ip droidrange_gateway exempted { 198.18.0.2 . 443 }",
        "add element ip droidrange_gateway pinning { 10.88.1.10 . 198.18.0.3 . 443 }",
    ]


def test_an_empty_plan_adds_nothing():
    assert "add element" not in changes(Plan.read({}))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"redirect": [["198.18.0.1; drop", 80]]}, "redirect"),
        ({"redirect": [["198.18.0.1", 0]]}, "redirect"),
        ({"redirect": [["198.18.0.1", "80"]]}, "redirect"),
        ({"redirect": [["198.18.0.1", True]]}, "redirect"),
        ({"exempt": ["198.18.0.1"]}, "exempt"),
        ({"exempt": [None]}, "exempt"),
        ({"pinned": [["198.18.0.1", 80]]}, "pinned"),
        ({"resolver_upstream": "100.64.77.2"}, "resolver_upstream"),
        ({"folder": "../pki"}, "folder"),
        ({"folder": ".."}, "folder"),
        ({"folder": 3}, "folder"),
    ],
)
def test_what_is_no_plan_is_refused_by_name(row, told):
    with pytest.raises(ValueError, match=told):
        Plan.read(row)
