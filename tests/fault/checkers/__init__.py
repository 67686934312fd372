"""Checkers of histories: pure functions from what clients did and were told to a list of violations, in words."""
