"""Masks for what asynchronous collectors say: made of the secrets that they were sent."""

from __future__ import annotations

from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.model.errors import NotConfigured, Transient
from fanfold.domain.protocol.masking import WITHHELD, Mask, mask_of_call
from fanfold.ports.outside import CallbackTokens, Secrets


class CollectorMasks:
    """See :class:`fanfold.ports.outside.Masks`.

    Id tokens are not looked up: whatever has the form of one is masked by every mask.
    """

    def __init__(self, secrets: Secrets, tokens: CallbackTokens) -> None:
        self._secrets = secrets
        self._tokens = tokens

    def mask_for(self, spec: CollectorSpec, run_id: str) -> Mask:
        """See :meth:`fanfold.ports.outside.Masks.mask_for`."""
        try:
            headers = {
                name: self._secrets.fill(template) for name, template in spec.auth.headers.items()
            }
        except (NotConfigured, Transient):
            return WITHHELD
        return mask_of_call(spec, headers, self._tokens.token(run_id, spec.name))
