"""Account: members pay in beforehand, and their orders are paid from what they have."""
