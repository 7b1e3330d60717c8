"""Android devices over adb: one code path for the handset container, an emulator container and a real phone.

Nothing here knows a scenario, a capture or Docker. Only adb's own protocol and Android's own commands are used.
"""
