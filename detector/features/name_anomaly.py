"""How odd the naming of a destination is: no SNI, an address nobody looked up, a name that is not the answered one.

Needs flows with SNI; never resolved and other name need dns too; fronting needs decrypted requests. Raised wrongly by
peer-to-peer apps, messengers that ship address lists, names cached from before the recording began, and connections
that HTTP/2 shares between hosts of one certificate (RFC 9113 section 9.1.1).
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64

OTHER_NAME, NO_SNI, NEVER_RESOLVED = 0.9, 0.7, 0.5


def name_anomaly(
    no_sni: Float64, never_resolved: Float64, other_name: Float64, fronted: Float64, entropy: Float64
) -> Float64:
    """(g,) largest of: share of fronted requests, other name 0.9, no SNI 0.7, never resolved 0.5, entropy of the label.

    All (g,) in 0..1: ``no_sni``: its TLS flows carry none although others' do; ``never_resolved``: share that
    is known by address only, or by a name no answer bears out, where no answer held that address; ``other_name``: share
    of the named whose name differs from every one whose answer held the address, which this device has looked up;
    ``fronted``: decrypted requests whose Host is of another registrable domain than the SNI; ``entropy``: of
    features.name_entropy. NaN: this sensor cannot tell; NaN where it can tell nothing.

    >>> yes, no, unknown = np.array([1.0]), np.array([0.0]), np.array([np.nan])
    >>> name_anomaly(yes, yes, unknown, unknown, unknown).tolist(), name_anomaly(no, no, no, no, no).tolist()
    ([0.7], [0.0])
    >>> name_anomaly(unknown, unknown, unknown, unknown, unknown).tolist()
    [nan]
    """
    parts = (fronted, OTHER_NAME * other_name, NO_SNI * no_sni, NEVER_RESOLVED * never_resolved, entropy)
    found = parts[0]
    for part in parts[1:]:
        found = np.fmax(found, part)
    return found
