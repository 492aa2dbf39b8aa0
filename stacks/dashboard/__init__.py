"""The dashboard, described once: what becomes QuickSight resources and, read back from there, the page in the browser.

parts.py         what a dashboard is made of here: data sets, fields, visuals, sheets
data_sets.py     what is asked of the tables (SQL of Athena)
sheets/          one module a sheet
definition.py    all of it in QuickSight's own words
"""
