"""The sheets, in the order in which a reader meets them."""

from stacks.dashboard.sheets.data import DATA
from stacks.dashboard.sheets.distributions import DISTRIBUTIONS
from stacks.dashboard.sheets.overview import OVERVIEW
from stacks.dashboard.sheets.reports import REPORTS
from stacks.dashboard.sheets.training import TRAINING

SHEETS = (OVERVIEW, DISTRIBUTIONS, REPORTS, TRAINING, DATA)
