"""Values and small functions that need no database: money, units, ids, time, texts, errors."""
