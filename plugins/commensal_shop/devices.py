"""What people call a device that is logged in, from the name that its browser gives itself (RFC 9110, 10.1.5)."""

from __future__ import annotations

# The first one counts: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}
_LONGEST = 60  # characters of a name that nobody knows


def device_name(agent: str) -> str:
    """Like "Firefox · Android"; an unknown name as it is; "" for none."""
    names = [next((name for token, name in known.items() if token in agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return " · ".join(filter(None, names)) or agent[:_LONGEST]
