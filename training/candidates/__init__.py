"""Candidates: further ways to answer the evaluation sets of a task (training/answer_candidate.py)."""
