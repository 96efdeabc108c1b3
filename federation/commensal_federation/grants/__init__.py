"""Which enterprises here and at peers have granted each other what."""
