"""What the dashboards of all kinds of tasks show: runs, what they took, how they learnt, and their data."""
