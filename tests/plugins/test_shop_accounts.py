"""Accounts by forms alone: signing up, proving an address, logging in and out, a forgotten password, a language."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from commensal.jobs.tables import job
from commensal.people.confirmations import FORGOTTEN, mail_reset
from commensal.people.people import Person, person_by_id
from commensal.people.tables import person
from commensal.testing.jobs import jobs_of  # noqa: F401

from .conftest import PASSWORD, Browser, Stall

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both
