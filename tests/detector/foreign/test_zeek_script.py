"""What a Zeek script says of itself before it is run."""

import pytest

from detector.foreign.zeek_script import notice_analytic, read_script

SCRIPT = """@load base/frameworks/notice
# ATT&CK T1437.001; redef enum Notice::Type += { Not_This };
module Poll;
export { redef enum Notice::Type += { Steady, Other }; }
"""


@pytest.fixture
def script(tmp_path):
    def written(text: str = SCRIPT, given: str | None = None):
        path = tmp_path / "poll.zeek"
        path.write_text(text)
        return read_script(path, given)

    return written


def test_its_notices_and_its_analytic_are_read(script):
    found = script()
    assert found.notices == {"Steady", "Other"}
    assert found.analytic == "AN1793"


def test_its_own_word_goes_before_techniques_and_the_callers_after(script):
    assert script(SCRIPT + "# droidrange_analytic AN1702\n").analytic == "AN1702"
    assert script(SCRIPT.replace("T1437.001", "no technique"), "AN1702").analytic == "AN1702"


def test_another_text_is_another_version(script):
    assert script().digest != script(SCRIPT + "\n").digest


def test_a_folder_is_read_whole(tmp_path, script):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "__load__.zeek").write_text("@load ./poll\n")
    (tmp_path / "rules" / "poll.zeek").write_text(SCRIPT)
    assert read_script(tmp_path / "rules", None).notices == {"Steady", "Other"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("event zeek_init() { }", "found no notice type"),
        (SCRIPT.replace("T1437.001", "none"), "add a comment such as '# droidrange_analytic AN1793'"),
        (SCRIPT + "# T1090\n", "of both AN1702 and AN1793"),
        (SCRIPT + "# droidrange_analytic AN1\n", "found 'AN1', expected AN1793 or AN1702"),
    ],
)
def test_what_can_be_no_detector_is_told(script, text, said):
    with pytest.raises(LookupError) as fault:
        script(text)
    assert said in str(fault.value)


def test_a_path_that_leads_nowhere_is_told(tmp_path):
    with pytest.raises(LookupError, match=r"absent\.zeek: not found, expected a Zeek script"):
        read_script(tmp_path / "absent.zeek", None)
    with pytest.raises(LookupError, match=r"expected a folder with .*__load__\.zeek"):
        read_script(tmp_path, None)


def test_a_notice_may_say_its_own_analytic(script):
    both = script(SCRIPT + "# droidrange_analytic AN1793\n# droidrange_analytic AN1702\n")
    assert both.analytic is None
    assert notice_analytic("Poll::Steady relayed, T1090", both) == "AN1702"
    assert notice_analytic("Poll::Steady droidrange_analytic AN1793", both) == "AN1793"
    with pytest.raises(LookupError, match=r"to its \$sub"):
        notice_analytic("Poll::Steady", both)
    assert notice_analytic("Poll::Steady", script()) == "AN1793"
