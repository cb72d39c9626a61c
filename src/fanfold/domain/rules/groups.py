"""Groups of mirrors: where enough members succeeded, the failure of another one is tolerated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from fanfold.domain.model.collector import Group


def tolerated(groups: Mapping[str, Group | None], succeeded: Collection[str]) -> Mapping[str, str]:
    """Return whose failure is tolerated: the name of the group by the name of the collector.

    Args:
        groups: The group of each collector, None where it has none.
        succeeded: Those that succeeded; they need no tolerance.
    """
    good = Counter(group.name for name, group in groups.items() if group and name in succeeded)
    return {
        name: group.name
        for name, group in groups.items()
        if group is not None and name not in succeeded and good[group.name] >= group.at_least
    }
