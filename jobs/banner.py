"""The first line of everything that a command tells people."""

from urllib.parse import urlsplit

from schemas.settings import Settings


def banner(command: str, business_date: str, settings: Settings, run_id: str = "") -> str:
    """Where a command acts: environment, merchant id, business date, run, ledger."""
    environment = settings.environment.upper() if settings.environment == "production" else settings.environment
    words = ["mitbatch", command, business_date, environment, "mid", settings.provider.mid[:8]]
    return " ".join([*words, *(["run", run_id[:8]] if run_id else []), "ledger", _ledger_named(settings.ledger.url)])


def _ledger_named(url: str) -> str:
    """Where the ledger lives, without the login: a path, or a host and the database's name."""
    if url.startswith("sqlite:///"):
        return url.removeprefix("sqlite:///")
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{parts.path}"
