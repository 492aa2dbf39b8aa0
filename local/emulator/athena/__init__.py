"""Mends what ministack's Athena does differently from AWS's, from outside.

- registration.py: puts the others in front of ministack's functions.
- requests.py: statements that would only be pretended are refused by name, parameters are filled in, results lie where
  the request or the workgroup says.
- dialect.py: functions that only Trino has, and a refusal of those that only DuckDB has.
- tables.py: a table shows the partitions that Athena would see, with the columns that Glue declares.
- engine.py: integers divide to integers, and the bytes that were scanned are counted.
- results.py: values as Athena writes them.

Weaker than Trino: types are converted without a CAST (`'a' || 1`, `text_column = 1`), GROUP BY and WHERE may use an
alias of SELECT, an array's index out of range is null. Different: a double divided by 0 fails (Trino: Infinity), a
timestamp or a double cast to varchar has fewer zeros, a date plus an interval is a timestamp, a timestamp with time
zone cannot be a column of the result.
"""
