"""Findings made elsewhere: files of other tools, told apart by their content and read into findings or hits."""
