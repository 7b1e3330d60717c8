"""Our side of bench_decode as a whole process: a capture in, flows, exchanges and DNS out as Parquet files."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from detector.capture import read_capture  # a plain script, run from anywhere


def main() -> None:
    """Read the capture given first into the folder given second, and print how many packets it had."""
    capture, folder = read_capture(Path(sys.argv[1])), Path(sys.argv[2])
    import pyarrow.parquet as pq

    for name in ("flows", "exchanges", "dns"):
        pq.write_table(getattr(capture, name), folder / f"{name}.parquet", compression="lz4", use_dictionary=False)
    print(capture.stats.packets)


if __name__ == "__main__":
    main()
