"""The deployed QuickSight dashboard, read back and drawn in the browser: served, or as one file.

source.py       the dashboard, its data sets and its theme, as QuickSight's API describes them
answers.py      a data set's query with its parameters filled in, asked through Athena
coverage.py     which answers a file holds
document.py     what the page is made from: typed, versioned, JSON
page.py         the document and the bundled script as one HTML file
server.py       the same page, answering as the reader chooses
local_stage.py  these for the local stage: `dashboard_server`, `write_dashboard_file`
web/            the page itself: a small renderer of QuickSight's dashboard definitions
"""
