"""The dashboards, described once: what becomes QuickSight resources and, read back from there, the page in the browser.

parts.py         what a dashboard is made of here: data sets, fields, visuals, sheets
shared/          what the dashboards of all kinds of tasks show
report/          the dashboard of tasks that write text: what is asked of the tables (SQL of Athena), and its sheets
events/          the dashboard of tasks that classify
dashboards.py    those that a deployment's tasks need
definition.py    a dashboard in QuickSight's own words
"""
