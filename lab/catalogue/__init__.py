"""The catalogue: scenarios in rows and sheets, their proofs, and the report of shortcuts."""
