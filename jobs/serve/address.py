"""`mitbatch webhook url`: the address at which the provider reaches us, which is not the one that we listen on."""

from batch.pace import utc_text
from batch.webhooks import PATH
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from schemas.errors import ConfigurationError, ExitCode
from schemas.settings import Settings


def public_url(settings: Settings) -> str:
    """The address to give to the provider. Raises ConfigurationError while no host is set."""
    host = settings.webhook.public_host
    if not host:
        raise ConfigurationError(
            "webhook.public_host is not set.",
            now="No webhook is taken.",
            next_step="Set it to the host that the provider shall call, for example hooks.acme.example.",
        )
    return f"{'http' if settings.webhook.is_loopback else 'https'}://{host}{PATH}"


def show_url(options: Options) -> int:
    """Print the address to register at the provider, and nothing else."""
    settings = load_settings(options.config)
    url = public_url(settings)
    say(options, [url])
    answer(options, envelope("webhook url", "result", settings.environment, url=url))
    return int(ExitCode.CLEAN)


def envelope(command: str, kind: str, environment: str, **fields: str) -> dict[str, str]:
    """One object of `--json`."""
    schema = f"mitbatch.{command.replace(' ', '_')}/1"
    head = {"schema": schema, "type": kind, "command": command, "run_id": "", "generated_at": utc_text(SystemClock().now())}
    return {**head, "environment": environment, **fields}
