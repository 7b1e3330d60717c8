"""Users' SQL over the telemetry tables: read and run by DuckDB in a locked process, its rows turned into findings."""
