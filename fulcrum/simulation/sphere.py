"""Distances, headings and places on a sphere of the Earth's mean radius. Degrees and metres."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, hypot, radians, sin, sqrt

# The mean radius of the Earth (IUGG), in metres.
RADIUS = 6_371_008.8


def distance(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """The length of the great circle between two places (haversine)."""
    phi1, phi2 = radians(lat1), radians(lat2)
    half = sin((phi2 - phi1) / 2) ** 2
    half += cos(phi1) * cos(phi2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * RADIUS * asin(min(1.0, sqrt(half)))


def heading(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Where the great circle to the second place sets out: degrees from north, clockwise, 0 to 360."""
    phi1, phi2, turn = radians(lat1), radians(lat2), radians(lon2 - lon1)
    east = sin(turn) * cos(phi2)
    north = cos(phi1) * sin(phi2) - sin(phi1) * cos(phi2) * cos(turn)
    return degrees(atan2(east, north)) % 360.0


def ahead(lat: float, lon: float, bearing: float, metres: float) -> tuple[float, float]:
    """The place so far along the great circle that sets out at a bearing."""
    phi, theta, angle = radians(lat), radians(bearing), metres / RADIUS
    rise = sin(phi) * cos(angle) + cos(phi) * sin(angle) * cos(theta)
    flat = hypot(cos(phi) * cos(angle) - sin(phi) * sin(angle) * cos(theta), sin(angle) * sin(theta))
    turn = atan2(sin(theta) * sin(angle) * cos(phi), cos(angle) - sin(phi) * rise)
    return degrees(atan2(rise, flat)), (lon + degrees(turn) + 540.0) % 360.0 - 180.0
