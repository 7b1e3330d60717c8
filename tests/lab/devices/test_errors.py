"""The fault of a device says who, what, what instead, and what next."""

from __future__ import annotations

import pickle

from lab.devices.errors import DeviceError
from lab.errors import StageError


def test_a_fault_has_its_four_parts_and_is_the_stages():
    fault = DeviceError("emulator-5554", "pm list", "exit code 1", "adb devices")
    assert isinstance(fault, StageError)
    assert str(fault) == "device emulator-5554: 'pm list': exit code 1; next: adb devices"
    assert len(str(DeviceError("s", "x" * 1000, "f", "r"))) < 300


def test_a_fault_survives_a_worker_process():
    fault = pickle.loads(pickle.dumps(DeviceError("s", "c", "f", "r")))
    assert (fault.serial, fault.command, fault.found, fault.remedy) == ("s", "c", "f", "r")
