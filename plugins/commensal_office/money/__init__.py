"""Pages about money: who owes what, what suppliers are owed, refunds, the till, and the books of a week."""
