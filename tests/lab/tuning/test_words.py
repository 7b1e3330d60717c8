"""A tuning in words: the threshold, its interval, the cost, the gap and the command."""

from lab.tuning.words import lines


def test_all_that_decides_is_said(lab):
    found = lab.tune(lambda seed: [0.4 + 0.05 * seed], lambda seed: [0.5 if seed == 2 else 0.1, 0.2], budget=0.002)
    told = "\n".join(lines(found))
    for part in (
        "bar of graded (AN1793, view full)",
        "was 0.5, 95 % interval ",
        "0.002 per device-day pays for 1 in 640 device-days",
        "chosen by ",
        "left out ",
        "overfit gap     recall +",
        "--detector graded:bar=",
    ):
        assert part in told
    assert "as configured" not in told


def test_what_could_not_be_tuned_stays_and_says_why(lab):
    class Two(lab.Graded):
        @property
        def knobs(self):
            (one,) = super().knobs
            return (one, type(one)("other", "AN1702", 0.3, 0.01, 1.0))

    told = "\n".join(lines(lab.tune(lambda _seed: [0.9], lambda _seed: [0.2], detector=Two())))
    assert "not tuned, 0.3 stays: no incident of it was played" in told
