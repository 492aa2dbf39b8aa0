"""The dashboard of tasks that write text."""
