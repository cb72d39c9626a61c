"""The section ``console``: names and addresses, with everything that is wrong said at once."""

from __future__ import annotations

import pytest
from tests.config.cases import read, refused

from fanfold.domain.model.console_rules import ConsoleRules

FILE = "scheduler: {{collectors: {{dvf: {{url: https://h.example/}}}}}}\nconsole: {0}\n"


def test_it_is_closed_if_nothing_is_said() -> None:
    assert read(FILE.format("")).catalogue.console == ConsoleRules()


def test_what_is_written_is_read() -> None:
    text = "{open: yes, hosts: [Fanfold.Example.org, 'f:8443'], trusted_proxies: 10.0.0.5}"
    assert read(FILE.format(text)).catalogue.console == ConsoleRules(
        open=True, hosts=("fanfold.example.org", "f:8443"), trusted_proxies=("10.0.0.5/32",)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{open: maybe}", "open"),
        ("{hosts: ['https://f.example.org/']}", "is not the name of a host"),
        ("{hosts: ['a b']}", "is not the name of a host"),
        ("{trusted_proxies: [proxy.example.org]}", "is not an address"),
        ("{trusted_proxies: ['0.0.0.0/0']}", "anybody would be believed"),
        ("{trusted_proxies: ['::/0']}", "anybody would be believed"),
        ("{opened: true}", "unknown key"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str) -> None:
    (problem,) = refused(FILE.format(text)).problems
    assert said in problem.sentence


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = "{open: maybe, hosts: ['a b', 'c/d'], trusted_proxies: [x]}"
    assert len(refused(FILE.format(text)).problems) == 4
