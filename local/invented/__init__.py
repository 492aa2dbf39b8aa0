"""Texts that the project invents itself: no patient, no licence, the same from the same seed."""
