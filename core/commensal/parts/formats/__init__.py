"""Formats of files that other programs read and write: iCalendar, CSV, encodings of texts, coordinates of maps."""
