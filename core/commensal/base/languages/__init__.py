"""Localisation: texts, amounts, quantities and moments in the reader's language."""
