"""SMTP replies are found in turns whether a turn holds one or several."""

from __future__ import annotations

from lab.stages.live.servers.image.replies import replies


def test_lines_of_one_reply_stay_together_and_know_their_turn():
    found = list(replies([b"220 a\r\n", b"250-b\r\n250 c\r\n354 go\r\n"]))
    assert [(reply.code, reply.data, reply.turn) for reply in found] == [
        (b"220", b"220 a\r\n", 0),
        (b"250", b"250-b\r\n250 c\r\n", 1),
        (b"354", b"354 go\r\n", 1),
    ]


def test_a_scripts_replies_are_its_turns(plans, plan_of):
    plan = plan_of(plans.Talk(0, "smtp", ("198.18.0.1", 465), ((0, 2_000, 900, 50_000),), name="a.example"))
    said = [bytes(plan.bytes_of(turn)) for turn in plan.script(0).turns if not turn.from_client]
    assert [reply.data for reply in replies(said)] == said
    assert [reply.code for reply in replies(said)] == [b"220", b"250", b"235", b"250", b"250", b"354", b"250", b"221"]
