"""Reasons of a relay: sentences with bytes, peers and counts."""

from __future__ import annotations

from detector.contract import detector


def test_reasons_are_sentences_with_numbers(made):
    made.flow(0, inbound=True, proxy="connect", proxy_server="server", proxy_target="a.example:25", proxy_granted=True)
    tunnel = made.flow(0, lasts_s=1700, server="198.18.9.9", up=200_000, down=36_000)
    for k in range(40):
        made.exchange(tunnel, 20 + 40 * k, up=5000, down=900)
        made.exchange(made.flow(20 + 40 * k, up=900, down=5000, server=f"198.18.1.{k}"), 20 + 40 * k, 900, 5000)
    (finding,) = [one for one in detector("builtin").detect(made.telemetry()) if one.analytic == "AN1702"]
    texts = {reason.feature: reason.text for reason in finding.reasons}
    assert "1 connect requests" in texts["proxy_request"]
    assert "a.example:25" in texts["proxy_request"]
    assert "36,000 B came in and 200,000 B went out by 198.18.9.9 within 0.5 h" in texts["byte_conservation"]
    assert "of the 40 other flows spoke just when" in texts["pairing_lift"]
    assert "no baseline was given" in texts["baseline"]
    unknown = [reason for reason in finding.reasons if reason.value is None and reason.feature != "baseline"]
    assert unknown
    assert all("unknown" in reason.text for reason in unknown)
    assert all(reason.weight >= 0 for reason in finding.reasons)
