"""Trials of detectors that cannot judge every analytic: what is left out, and what may not be found."""

from lab.running.run import read_run, score_folder


def test_what_a_detector_cannot_judge_is_left_out(lab, make, tmp_path):
    both = make.truth(
        make.incident(contacts=0), make.incident(incident="r", analytic="AN1702", behaviour="socks-relay")
    )
    lab.truth = both
    lab.detectors["partial"] = lab.fake(lambda _: [make.finding()])
    lab.detectors["partial"].judges = lambda telemetry: ("AN1793",) if telemetry.view == "full" else ()
    rows = lab.run(lab.plan(detectors=("partial", "builtin"), views=("full", "dns-only")), tmp_path)
    told = {(row["detector"], row["view"]): row["judged"] for row in read_run(tmp_path)["trials"]}
    assert told["partial", "full"] == ["AN1793"]
    assert told["builtin", "full"] == ["AN1793", "AN1702"]
    assert told["partial", "dns-only"] == []
    assert {row["status"] for row in rows if (row["detector"], row["view"]) == ("partial", "dns-only")} == {
        "unsupported"
    }
    card = score_folder(tmp_path).to_json()
    judged = card["detectors"]["partial"]["views"]["full"]["analytics"]
    assert judged["AN1793"]["recall"] == 1.0
    assert (judged["AN1702"]["recall"], judged["AN1702"]["false_alarms"]) == (None, None)
    whole = card["detectors"]["builtin"]["views"]["full"]["analytics"]["AN1702"]  # the control: who judges, misses
    assert (whole["recall"], whole["false_alarms"]) == (0.0, 0)
    spots = {(one["detector"], one["view"], one["analytic"]): one["why"] for one in card["blind_spots"]}
    assert (spots["partial", "full", "AN1702"], spots["builtin", "full", "AN1702"]) == ("unsupported", "unseen")
    assert "cannot judge" in (tmp_path / "report.html").read_text()


def test_a_finding_of_what_it_does_not_judge_fails_the_trial(lab, make, tmp_path):
    lab.detectors["odd"] = lab.fake(lambda _: [make.finding(analytic="AN1702", peer=None)])
    lab.detectors["odd"].judges = lambda _telemetry: ("AN1793",)
    rows = lab.run(lab.plan(detectors=("odd",)), tmp_path)
    assert rows[0]["status"] == "failed"
    assert "found AN1702, but the detector judges AN1793 here" in rows[0]["reason"]
