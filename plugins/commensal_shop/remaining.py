"""The time that is left to order, in words."""

from __future__ import annotations

from datetime import timedelta

from commensal import plural, translate


def remaining_time(left: timedelta, language: str) -> str:
    """The two largest units of a duration, rounded down: 2 d 13 h, 3 days, 5 h 20 min; "" if nothing is left."""
    minutes = int(left.total_seconds()) // 60
    if minutes < 0:
        return ""
    hours, days = minutes // 60, minutes // 1440
    if days and not hours % 24:
        return plural(language, "{number} day", "{number} days", days).format(number=days)
    if days:
        return translate(language, "{days} d {hours} h").format(days=days, hours=hours % 24)
    if hours:
        return translate(language, "{hours} h {minutes} min").format(hours=hours, minutes=minutes % 60)
    return translate(language, "{minutes} min").format(minutes=minutes)
