"""The dashboard of tasks that find adverse events: what comes in, and how well they are found."""
