"""Other sensors' logs as telemetry tables: Zeek, Suricata's EVE, PCAPdroid, NetFlow, HAR, inventories.

What a source lacks is an absent table or a null, never a zero; no line is lost in silence (account.Account).
"""
