"""Who may look on Google Cloud: whoever Cloud Run lets in. IAM or IAP is the wall, before this.

The service may read the ledger and publish run requests, and nothing else. So people can run and
retry here; to pause, cancel and replay somebody needs rights of their own, and the command.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from flask import Request, abort, request

from fanfold.console.access import SAFE, WORD, require_same_site
from fanfold.console.sessions import Sessions
from fanfold.domain.syntax.text import one_line

#: Says who asks, where IAP is the wall: ``accounts.google.com:ann@example.org``.
IAP_USER = "X-Goog-Authenticated-User-Email"

#: The variable that says which wall there is: ``iap`` or ``iam``.
BEHIND = "FANFOLD_CONSOLE_BEHIND"

#: Who asks, where IAM is the wall: it tells the service nothing.
LET_IN = "somebody whom IAM lets in"


class BehindGoogle:
    """See the module, and :class:`fanfold.console.access.Access`.

    The words of forms hold for one instance: there is one at most, and a form that is older than it
    is refused.

    Args:
        env: Says which wall there is. The user that a header names is believed behind IAP alone,
            which takes such a header away from everybody else.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._believes_iap = env.get(BEHIND) == "iap"
        self._sessions = Sessions(secrets.token_urlsafe())

    def check(self, request: Request) -> None:
        """Return if *request* may be answered: what acts comes from a page of this console."""
        if request.method in SAFE:
            return
        require_same_site(request)
        if not _is_browser(request) and "Authorization" in request.headers:
            return
        if not self._sessions.is_form_word(self.who(), request.form.get(WORD, "")):
            abort(403, "this form is of an older session, or of another page: load the page again")

    def form_word(self) -> str:
        """See :meth:`fanfold.console.access.Access.form_word`."""
        return self._sessions.form_word(self.who())

    def who(self) -> str:
        """See :meth:`fanfold.console.access.Access.who`."""
        user = request.headers.get(IAP_USER, "") if self._believes_iap else ""
        return one_line(user.removeprefix("accounts.google.com:"), 200) or LET_IN


def _is_browser(request: Request) -> bool:
    """Return whether a browser sends this: by ``gcloud run services proxy`` it has a token too.

    The proxy adds ``Authorization`` to whatever reaches it, also to a form of another site.
    """
    return "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
