"""A mitmproxy and a tcpdump that do as they are told, for the tests of their supervisor."""

import sys
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

PROXY = """
import array, json, os, socket, sys
orders = socket.socket(fileno=int(os.environ["DROIDRANGE_ORDERS"]))
file = None
while True:
    text, files, _, _ = socket.recv_fds(orders, 65536, 1)
    if not text:
        break
    order = json.loads(text)
    if order["do"] == os.environ.get("FAKE_DIES_AT"):
        sys.exit(3)
    if order["do"] == "record":
        file = files[0]
        os.write(file, b'{"v":1}\\n')
    if order["do"] == "plan" and order["resolver"] == ["198.18.0.66", 53]:
        orders.send(b'{"error": "no such resolver"}')
    else:
        orders.send(json.dumps({"lines": 1, "order": order}).encode())
"""
CAPTURE = """
import signal, sys, time
def end(*_):
    sys.stderr.write("3 packets captured\\n4 packets received by filter\\n1 packet dropped by kernel\\n")
    sys.exit(0)
signal.signal(signal.SIGINT, end)
sys.stdout.write("packets"); sys.stdout.flush()
sys.stderr.write("warning: x\\ntcpdump: listening on lab0\\n"); sys.stderr.flush()
time.sleep(60)
"""
BROKEN_CAPTURE = "import sys; sys.exit('lab0: No such device exists')"


@pytest.fixture
def fakes():
    """The commands of both, and of a capture that does not start."""
    scripts = {"proxy": PROXY, "capture": CAPTURE, "broken": BROKEN_CAPTURE}
    return SimpleNamespace(**{name: [sys.executable, "-S", "-c", script] for name, script in scripts.items()})


# what needs mitmproxy is not collected without it: tests/live/gateway runs these files inside the image
collect_ignore = [] if find_spec("mitmproxy") else ["test_addon.py", "test_reading.py", "test_verbatim.py"]
