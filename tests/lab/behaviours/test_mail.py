"""Mail is sent and fetched as the files of mail-smtp and mail-check state."""

import numpy as np
import pytest

from lab.behaviours import SECOND, mail_check, mail_smtp
from lab.habits.clock import inside

HOUR = 3600 * SECOND
MINUTE = 60 * SECOND


def test_people_write_while_the_app_is_open(windows, interval, rng):
    open_ = interval((8 * HOUR, 10 * HOUR), (20 * HOUR, 21 * HOUR))
    batch = mail_smtp.Behaviour(written_per_hour=60.0).plan(rng, windows(foreground=open_))
    assert 120 < len(batch.start) < 250
    assert inside(batch.start, open_).all()
    assert np.median(batch.x_up) == pytest.approx(4_000, rel=0.3)
    assert batch.x_up.min() >= mail_smtp.SMALLEST


def test_nobody_writes_with_the_app_closed_and_nothing_is_reported_by_itself(quiet, rng):
    assert mail_smtp.Behaviour().plan(rng, quiet).contacts == 0


def test_reports_renew_themselves_and_have_one_size(quiet, rng):
    kind = mail_smtp.Behaviour(period=600.0, jitter=0.2, attachment_probability=0.1)
    batch = kind.plan(rng, quiet)
    gaps = np.diff(np.sort(batch.start)) / SECOND
    assert gaps.min() >= 480
    assert gaps.max() <= 720
    small = batch.x_up <= kind.report * (1 + kind.spread)
    assert 0.8 < small.mean() < 0.97
    assert batch.x_up[small].min() >= kind.report * (1 - kind.spread) - 1
    assert np.median(batch.x_up[~small]) > 8_000


@pytest.mark.parametrize(("tls", "port"), [(True, 465), (False, 587)])
def test_each_mail_is_a_submission_of_its_own(quiet, rng, tls, port):
    batch = mail_smtp.Behaviour(period=600.0, tls=tls).plan(rng, quiet)
    assert len(batch.start) == batch.contacts
    assert [(speech.protocol, speech.tls, speech.port) for speech in batch.speeches] == [("smtp", tls, port)]


def test_looks_keep_their_phase_or_renew_themselves(quiet, rng):
    alarm = mail_check.Behaviour(period=600.0, jitter=0.1).plan(rng, quiet)
    late = np.sort(alarm.start) % (600 * SECOND)
    assert np.ptp(late) <= 60 * SECOND or np.ptp((late + 300 * SECOND) % (600 * SECOND)) <= 60 * SECOND
    renewed = mail_check.Behaviour(period=600.0, jitter=0.1, law="uniform").plan(rng, quiet)
    gaps = np.diff(np.sort(renewed.start)) / SECOND
    assert gaps.min() >= 540
    assert gaps.max() <= 660
    assert np.ptp(np.sort(renewed.start) % (600 * SECOND)) > 120 * SECOND


def test_most_looks_find_nothing_and_some_lead_to_a_draft(quiet, rng):
    kind = mail_check.Behaviour(period=60.0, mail_probability=0.2, draft_probability=0.5)
    batch = kind.plan(rng, quiet)
    counts = np.bincount(batch.x_conversation)
    assert len(batch.start) == pytest.approx(1440, abs=2)
    assert (counts >= 2).mean() == pytest.approx(0.2, abs=0.05)
    assert (counts == 3).sum() / (counts >= 2).sum() == pytest.approx(0.5, abs=0.1)
    assert (batch.x_up == mail_check.NOTHING[0]).sum() == len(batch.start)
    assert [(s.protocol, s.tls, s.port, s.options["idle"]) for s in batch.speeches] == [("imap", True, 993, "no")]


def test_a_look_is_short(quiet, rng):
    batch = mail_check.Behaviour(draft_probability=1.0, mail_probability=1.0).plan(rng, quiet)
    assert (batch.close - batch.start).max() < 15 * SECOND
