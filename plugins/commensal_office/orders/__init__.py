"""Pages about customers' orders: find one, take one by telephone, change, move, correct or withdraw."""
