"""Two questions about polygons: is the point inside, and where is a point inside."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

#: Longitude and latitude in degrees, and a closed ring of such points.
Point = Sequence[float]
Ring = Sequence[Point]


def contains(ring: Ring, point: Point) -> bool:
    """Return whether *point* lies inside *ring*: a ray to the west crosses it oddly often."""
    x, y = point[0], point[1]
    return sum(crossing < x for crossing in _crossings(ring, y)) % 2 == 1


def point_inside(ring: Ring) -> list[float]:
    """Return a point inside *ring*: the middle of its widest part at half its height."""
    latitudes = [point[1] for point in ring]
    # Off the middle by a hair, so as not to run along a corner.
    y = (min(latitudes) + max(latitudes)) / 2 + 1e-7
    crossings = sorted(_crossings(ring, y))
    west, east = max(
        zip(crossings[::2], crossings[1::2], strict=True), key=lambda span: span[1] - span[0]
    )
    return [round((west + east) / 2, 6), round(y, 6)]


def _crossings(ring: Ring, y: float) -> list[float]:
    """Return the longitudes at which the edges of *ring* cross the parallel *y*."""
    crossings = []
    for (x1, y1, *_), (x2, y2, *_) in itertools.pairwise(ring):
        if (y1 > y) != (y2 > y):
            crossings.append(x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return crossings
