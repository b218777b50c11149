"""The report as one page that needs nothing else: the same figures give the same bytes."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from batch.report_figures import ReportFigures
from jobs.report import (
    cohort_sections,
    day_sections,
    head,
    machine_sections,
    network_sections,
    operation_section,
    rate_sections,
    recovery_sections,
    tonight_sections,
)
from jobs.report.parts import Names, Section
from schemas.network_fees import NetworkFees, parse_network_fees
from schemas.network_rules import NetworkRules, parse_network_rules
from schemas.plain_text import shown

_PLAIN = (
    day_sections.needs_person,
    day_sections.balance,
    day_sections.money,
    tonight_sections.tonight,
    tonight_sections.not_sent,
    cohort_sections.cohorts,
    cohort_sections.pending,
    rate_sections.declines,
    rate_sections.kinds,
    recovery_sections.recovery_time,
    recovery_sections.kept,
)


def page(figures: ReportFigures) -> bytes:
    """The whole page as UTF-8. Whatever stands in the figures stands on it as text, never as markup."""
    names = Names()
    text = (
        _templates()
        .get_template("report.html")
        .render(
            day=figures.day,
            environment=figures.environment,
            run_id=figures.run_id,
            as_of=figures.heads.as_of,
            start=figures.lives.start,
            verdict=head.verdict(figures),
            code=head.meaning_of(figures.exit_code),
            mood=head.mood(figures.exit_code),
            tiles=head.tiles(figures, names),
            sections=sections(figures, names),
        )
    )
    return text.encode("utf-8", "replace")


def sections(figures: ReportFigures, names: Names) -> list[Section]:
    """Sections 2 to 16; the first is the head of the page."""
    return [
        *(draw(figures, names) for draw in _PLAIN),
        network_sections.network(figures, names, _rules(), _fees()),
        machine_sections.reconciliation(figures, names),
        operation_section.operation(figures, names),
        machine_sections.lookup(figures, names),
    ]


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("jobs.report"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _rules() -> NetworkRules:
    return parse_network_rules(_packaged("network_rules.toml"))


def _fees() -> NetworkFees:
    return parse_network_fees(_packaged("network_fees.toml"))


@cache
def _packaged(name: str) -> str:
    return files("schemas").joinpath(name).read_text(encoding="utf-8")
