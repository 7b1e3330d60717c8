"""The text of a new scenario file: every field with a comment beside it, and it passes scenario check as it stands."""

from __future__ import annotations

import textwrap

TEXT = """\
# {name}: one question, an ordinary network, and one thing that differs. `droidrange scenario check {name}.toml`
question = "Is a five-minute HTTPS poll seen beside an ordinary day of phone use?"  # one sentence, ends in "?"
span     = "24h"                     # 30m, 2h, 7d
devices  = 3                         # phones
twin_of  = ""                        # a benign scenario names the malicious one it imitates
# start  = 2026-03-02T00:00:00Z      # when the span begins; this is the default

[state]
profile = "office-worker"            # whose day it is: {profiles}
# profiles = ["student", "driver"]   # instead: several, dealt out to the phones in turns
# offsets = ["+01:00", "-05:30"]     # of the phones' clocks from UTC, in turns; default: UTC
networks = "wifi"                    # wifi: always at home; mobile; roaming: as the profile goes
# private_dns = true                 # names are looked up over TLS
# vpn = true                         # always-on VPN: the capture sees the tunnel

# [network]                          # its conditions, for all phones alike; by default none of this
# loss   = 0.01                      # share of packets lost each way, at most 0.1
# burst  = 3.0                       # lost in runs of so many on average
# rtt    = "80ms"                    # added to every round trip
# jitter = "40ms"                    # and up to so much more
# mtu    = 1400                      # 1280 to 1500 bytes
# ipv6   = 0.5                       # share of the named hosts that have IPv6 too
# clat   = true                      # a mobile network of IPv6 alone

[background]
apps = 10                            # ordinary apps of scenarios/apps/ on each phone, popular ones on most; 1 to 40
# categories = ["games", "tools"]    # only of these
# without = ["com.heron.browser"]    # packages and categories to leave out

# Apps. All use the same pools of names, addresses, ports and TLS stacks: only behaviour may tell them apart.
[[app]]
package  = "com.heron.browser"
category = "communication"
roles    = ["browser"]               # vpn browser remote_access tethering casting relay mail messenger ...
# label = "Heron"                    # what the phone calls it; default: the last word of the package
# sanctioned = true                  # the inventory approves of it
# exempt = true                      # off the battery optimisation: Doze leaves it the network
# on = 2                             # on how many of the phones it is installed; default: all
# installed = "6h"                   # from when it is there; before that it says nothing
# moves   = "12h"                    # from when its vendor's hosts stand under another registrable domain
# removed = "20h"                    # from when it is gone
[[app.behaviour]]
kind = "web-browsing"                # droidrange behaviour show web-browsing has its settings. Kinds:
{kinds}

[[app]]
package  = "com.meadow.weather"
category = "weather"
[[app.behaviour]]
kind   = "periodic-sync"
period = "30m"                       # settings are the fields of lab/behaviours/periodic_sync.py

[[app]]
package  = "com.orchard.torchlight"
category = "tools"
on       = 2
[[app.behaviour]]
kind   = "http-poll"
label  = "AN1793"                    # AN1793 or AN1702; without a label a behaviour is benign
period = "5m"
jitter = 0.3
law    = "uniform"

# What the recording must show, for each app and phone that has the behaviour; no detector is involved.
[[expect]]
behaviour = "http-poll"
# package = "com.orchard.torchlight" # of this app only
contacts  = {{ at_least = 80, at_most = 330 }}    # Doze holds back what is not exempt
# conversations and bytes can be bounded, too
"""


def text_of(name: str, profiles: list[str], kinds: list[str]) -> str:
    """The text for a scenario of that name, naming the known profiles and kinds."""
    wrapped = textwrap.fill(" ".join(kinds), 116, initial_indent="#  ", subsequent_indent="#  ", break_on_hyphens=False)
    return TEXT.format(name=name, profiles=", ".join(profiles), kinds=wrapped)
