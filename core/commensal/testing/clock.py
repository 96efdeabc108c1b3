"""The clock of the fixture `clock`, which tests set and move on."""

from ..base.clock import ManualClock as ManualClock
