"""URLs of the services that people read, in the forms of Apprise: ``mailto://…``, ``slack://…``.

The configuration check and the sender hold a URL against the same rule.
"""

from __future__ import annotations

from fanfold.domain.syntax.urls import BadUrl, is_loopback

#: Schemes that send to any host over plain http; with an s behind it is https.
_IN_THE_CLEAR = frozenset({"http", "json", "xml", "form"})


def check_service(text: str) -> None:
    """Return if *text* may be the URL of a service.

    Raises:
        BadUrl: It is none, or it leads over plain http to another machine.
    """
    scheme, found, rest = text.partition("://")
    if not found or not rest or not scheme.isalnum():
        raise BadUrl("this is no URL of Apprise", "write one such as mailto://… or slack://…")
    place = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    host = place[: place.rfind("]") + 1] or place.partition(":")[0]
    if scheme.lower() in _IN_THE_CLEAR and not is_loopback(host):
        what = "messages go over https only, or to this machine"
        raise BadUrl(what, f"begin with {scheme.lower()}s://")
