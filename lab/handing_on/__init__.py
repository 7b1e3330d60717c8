"""Recordings and findings in the formats that other people's tools read, one file each."""
