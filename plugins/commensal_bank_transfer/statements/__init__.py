"""Reading bank statements: CSV as banks write it, and camt.053 (ISO 20022)."""
