"""The pages of `mitbatch explain` about words of this program: reasons, states, items, decisions, network rules, error codes."""

import difflib
import inspect
from collections.abc import Iterable, Iterator
from importlib.resources import files

import schemas.errors as error_tree
from schemas.alerts import ALERT_TEXTS
from schemas.errors import MitbatchError
from schemas.network_rules import NetworkRule, parse_network_rules
from schemas.reasons import ITEM_TEXTS, REASON_TEXTS, Reason
from schemas.resolutions import RESOLUTION_TEXTS
from schemas.states import STATE_TEXTS

_KINDS = {Reason.NETWORK_NEVER_RETRY: "never", Reason.NETWORK_LIMIT: "limit", Reason.NETWORK_WAIT: "wait"}


def word_pages() -> dict[str, str]:
    """Every word that `explain` knows, with its page."""
    rules = _rules()
    return {
        **{reason.value: text + _rules_of(reason, rules) for reason, text in REASON_TEXTS.items()},
        **{kind.value: text for kind, text in ITEM_TEXTS.items()},
        **{state.value: text for state, text in STATE_TEXTS.items()},
        **{resolution.value: text for resolution, text in RESOLUTION_TEXTS.items()},
        **{rule.id: _rule_page(rule) for rule in rules},
        **{kind.code: inspect.cleandoc(kind.__doc__ or "") + f"\nExit code {int(kind.exit_code)}." for kind in error_kinds()},
        **{code.value: f"{text}. It pages once per cause: mitbatch review list" for code, text in ALERT_TEXTS.items()},
        "MB-PING": "A ping of [alerts] could not be delivered. The run is not touched by it.",
        "MB-ROW-REJECTED": "The provider refused a row; no rescue started for that order, and its hold was released. "
        "Mend the row in the order system and set its status back to declined: it goes out again with the next nightly.",
    }


def word_page(word: str) -> str | None:
    """What a stable word means; None when it is none of ours."""
    return word_pages().get(word)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, as a question; empty where none is near."""
    by_case = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(word.casefold(), by_case, n=1, cutoff=0.75)
    return f"Did you mean {by_case[found[0]]}?" if found else ""


def error_kinds() -> Iterator[type[MitbatchError]]:
    """Every class of the error tree that has a code of its own."""
    for _, kind in inspect.getmembers(error_tree, inspect.isclass):
        if issubclass(kind, MitbatchError) and kind is not MitbatchError and "code" in vars(kind):
            yield kind


def _rules() -> tuple[NetworkRule, ...]:
    return parse_network_rules(files("schemas").joinpath("network_rules.toml").read_text(encoding="utf-8")).rule


def _rules_of(reason: Reason, rules: Iterable[NetworkRule]) -> str:
    """The dated rules that a reason of the card networks comes from, each with its source."""
    lines = [f"  {rule.id}, {_span(rule)}, {rule.source}" for rule in rules if rule.kind == _KINDS.get(reason)]
    return "\n".join(["\nRules, their dates and sources:", *lines]) if lines else ""


def _rule_page(rule: NetworkRule) -> str:
    return f"a rule of {rule.brand}, {rule.kind}, {_span(rule)}. {rule.note}\nSource: {rule.source}"


def _span(rule: NetworkRule) -> str:
    return f"since {rule.effective_from}" + (f" until {rule.effective_to}" if rule.effective_to else "")
