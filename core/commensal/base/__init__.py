"""Values and small tools that need no database: money, units, ids, time, texts, errors."""
