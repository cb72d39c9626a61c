"""What the check of the configuration takes is exactly what the call can fill."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.config.cases import of_dvf, read

from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.config import ConfigError
from fanfold.domain.model.errors import NotConfigured

ENV = {
    "X": "x",
    "TAIL": "t\r\n",
    "EMPTY": "",
    "BREAK": "\n",
    "INNER": "a\nb",
    "K": "k",
    "api-key": "exact",
    "API_KEY": "capitals",
    "secret": "a variable of that name",
    "_": "u",
}
NAMES = ["X", "TAIL", "EMPTY", "BREAK", "INNER", "K", "k", "api-key", "secret", "_", "-k", "1", "é"]
INSIDE = st.tuples(
    st.sampled_from(["", "secret:", "secret:", "secret", " secret:"]),
    st.sampled_from([*NAMES, "", "a b", "k" * 255, "k" * 256]),
    st.sampled_from(
        ["", "", ":-", ":-d", ":?why", "@7", "@007", "@0", "@latest", "@", "@-1", "@" + "9" * 19]
    ),
).map("".join)
PIECES = st.sampled_from(
    ["$", "$$", "${", "}", "Bearer ", "a", "$X", "${${X}}", "${X"]
) | INSIDE.map(lambda inside: f"${{{inside}}}")
TEMPLATES = st.lists(PIECES, min_size=1, max_size=4).map("".join)


def is_taken(template: str) -> bool:
    """Return whether the check takes *template* as a header's value."""
    settings_of_dvf = f"{{auth: {{header: {{X-Client: {json.dumps(template)}}}}}}}"
    try:
        loaded = read(of_dvf(settings_of_dvf), {**ENV, "DVF_COLLECTOR_URL": "https://h/"})
    except ConfigError:
        return False
    return loaded.catalogue.collector("dvf").spec.auth.headers == {"X-Client": template}


def is_filled(template: str) -> bool:
    """Return whether the call can make a header's value of *template*."""
    try:
        value = EnvironmentSecrets(ENV).fill(template)
    except NotConfigured:
        return False
    return value.isascii() and value.isprintable() and bool(value.strip())


@given(template=TEMPLATES)
@example("${secret:k@007}")
@example("${secret:-fallback}")
@example("${secret:k@latest}")
@example("${secret:-k}")
@example("${secret:INNER}")
@example("a${BREAK}")
@example("${secret:BREAK}")
@settings(deadline=None, max_examples=400)
def test_the_check_takes_what_the_call_fills(template: str) -> None:
    assert is_taken(template) == is_filled(template)


@pytest.mark.parametrize(
    ("template", "fix"),
    [
        ("${secret:-fallback}", "a secret has no default"),
        ("${secret:k@latest}", "write ${secret:k}: without a version the newest one is read"),
        ("${secret:k@007}", "a version is a number without leading zeros"),
        ("${secret:a b}", "a secret's name has 1 to 255"),
        ("${X", "${NAME:-default}"),
    ],
)
def test_both_say_the_same_fix(template: str, fix: str) -> None:
    with pytest.raises(NotConfigured) as call:
        EnvironmentSecrets(ENV).fill(template)
    with pytest.raises(ConfigError) as check:
        read(of_dvf(f"{{auth: {{bearer: {json.dumps(template)}}}}}"))
    assert fix in str(call.value)
    assert fix in check.value.problems[0].fix
