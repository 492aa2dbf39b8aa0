"""One account with QuickSight for all tests of this folder."""

import pytest

from local.aws import LocalAws
from tests.local.quicksight.account import Account


@pytest.fixture(scope="session")
def account(aws: LocalAws) -> Account:
    return Account(aws)
