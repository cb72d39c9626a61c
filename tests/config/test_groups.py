"""Groups of mirrors: who belongs to each, and every mistake at once, with its place and its fix."""

from __future__ import annotations

from tests.config.cases import read, refused, warnings

from fanfold.domain.model.collector import Group

ENV = {f"{name}_COLLECTOR_URL": "https://h/" for name in ("A", "B", "C")}


def of(groups: str, more: str = "") -> str:
    return f"""
    version: 2
    scheduler:
      collectors: {{a: {{}}, b: {{}}, c: {{{more}}}}}
      groups: {groups}
    """


def told(groups: str, more: str = "") -> list[str]:
    problems = refused(of(groups, more), ENV).problems
    return [f"{each.where}: {each.what}; {each.fix}" for each in problems]


def test_a_member_knows_its_group() -> None:
    catalogue = read(of("{sirene: {any_of: [a, b]}}"), ENV).catalogue
    assert catalogue.collector("a").spec.group == Group("sirene", 1)
    assert catalogue.collector("b").spec.group == Group("sirene", 1)
    assert catalogue.collector("c").spec.group is None
    catalogue = read(of("{sirene: {any_of: [a, b, c], at_least: 2}}"), ENV).catalogue
    assert catalogue.collector("c").spec.group == Group("sirene", 2)


def test_every_mistake_is_told_at_once_with_its_place_and_fix() -> None:
    assert told("{one: {any_of: [a, bb]}, two: {any_of: [a, c, c], at_least: 4}, three: {}}") == [
        "scheduler.groups.one.any_of: no collector is called 'bb'; did you mean 'b'?",
        "scheduler.groups.two.any_of: 'c' stands twice; write it once",
        (
            "scheduler.groups.two.any_of: 'a' is in the group 'one' already;"
            " a collector has one group: remove it from one of them"
        ),
        "scheduler.groups.two.at_least: 4 is more than its 2 members; write 2 or less",
        (
            "scheduler.groups.three.any_of: the group has no members;"
            " write any_of: [sirene_a, sirene_b], or remove the group"
        ),
    ]


def test_numbers_and_types_that_make_no_sense() -> None:
    assert "0 is less than 1; write 1 or more" in told("{g: {any_of: [a], at_least: 0}}")[0]
    assert "-1 is less than 0" in told("{g: {any_of: [a], at_least: -1}}")[0]
    assert "is not a whole number" in told("{g: {any_of: [a], at_least: most}}")[0]
    assert "is not a list" in told("{g: {any_of: a}}")[0]
    assert "is not the name of a collector" in told("{g: {any_of: [1, a]}}")[0]
    assert "unknown key 'atleast'" in told("{g: {any_of: [a], atleast: 1}}")[0]
    assert "is not a map" in told("{g: [a, b]}")[0]
    assert "is not a map" in told("[a, b]")[0]
    assert "a group cannot be called" in told("{'../g': {any_of: [a, b]}}")[0]


def test_a_disabled_member_is_a_warning_and_too_few_enabled_ones_an_error() -> None:
    (only,) = warnings(of("{g: {any_of: [a, c]}}", "enabled: false"), ENV)
    assert "c is disabled, so it never helps its group" in only
    problems = told("{g: {any_of: [a, c], at_least: 2}}", "enabled: false")
    assert any("only 1 of its members are enabled" in each for each in problems)
