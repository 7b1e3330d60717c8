from lab.comparing.trend import Run, history
from lab.comparing.trend_words import lines


def test_a_history_in_lines(made):
    found = lines(
        history(
            [
                Run("r1", made.card(noise=[0])),
                Run("bad\x1b[31m", None, "cut short"),
                Run("r2", made.card(software="9.9", lost=range(6))),
            ]
        )
    )
    assert found[0] == "  1 r1: suite specimen, droidrange specimen, 12 scored, 0 unsupported, 0 failed"
    assert found[1] == "  2 bad\N{REPLACEMENT CHARACTER}[31m: no evidence: cut short"
    assert found[3] == "      not comparable with the run before: droidrange: A was made with specimen, B with 9.9"
    recall = next(line for line in found if line.startswith("specimen, specimen, full  AN1793    recall  ")).split()
    assert recall[-9:] == ["█·▅", "100", "%", "50", "%", "50", "%", "100", "%"]
    assert any("█·▁" in line and "false alarms /d" in line for line in found)
    assert all(line.isprintable() for line in found)
