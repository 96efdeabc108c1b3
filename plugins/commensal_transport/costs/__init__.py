"""What a round costs, who bears how much of it by which rule, and what the law wants of it."""
