"""HPACK's code: what stands in a header block, and its length."""

import pytest
from hpack import Encoder

from lab.stages.flows.huffman import huffman, huffman_length

TEXTS = ("qzagent", "qzw.calibration.example", "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7)", "", "a" * 300)


@pytest.mark.parametrize("text", TEXTS)
def test_it_is_what_an_encoder_writes(text):
    assert huffman(text) in Encoder().encode([("user-agent", text)])
    assert len(huffman(text)) == huffman_length(text)


def test_another_text_is_not():
    assert huffman("qzagent") not in Encoder().encode([("user-agent", "okhttp")])
