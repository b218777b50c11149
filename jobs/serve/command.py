"""`mitbatch serve`: takes webhooks until it is asked to stop."""

import signal
import sys

from batch.pace import business_date
from batch.webhooks import PATH
from jobs.banner import banner
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.serve.address import envelope, public_url
from jobs.settings_file import load_settings
from schemas.errors import ConfigurationError, ExitCode, InternalError

try:
    from jobs.serve.server import Server
except ModuleNotFoundError as error:
    raise ConfigurationError(
        f"serve needs {error.name}, which is not installed.", now="", next_step="Run: pip install 'mitbatch[serve]'"
    ) from error


def serve(options: Options) -> int:
    """Take webhooks until Ctrl-C or SIGTERM: both let what is under way be answered, and end with 0.

    Raises ConfigurationError before it listens, and InternalError should it stop by itself.
    """
    settings, clock = load_settings(options.config), SystemClock()
    enders = {signal.SIGINT, signal.SIGTERM}
    server = Server(settings, clock, sys.stderr, is_quiet=options.quiet)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, enders)  # its threads inherit that; here they are waited for
    try:
        with server:
            places = {
                "webhooks": f"http://{server.address}{PATH}",
                "registered": public_url(settings),
                "holds": f"http://{server.address}/holds/ORDER",
                "health": f"http://{server.address}/healthz",
                "dashboard": f"http://{server.address}/",
                "metrics": f"http://{server.address}/metrics",
            }
            first = banner("serve", business_date(clock.now(), settings.schedule.timezone), settings)
            say(options, [first, *(f"{name:<12}{place}" for name, place in places.items()), "Ctrl-C stops it."])
            answer(options, envelope("serve", "started", settings.environment, **places))
            while signal.sigtimedwait(enders, 0.5) is None:
                if not server.is_alive:
                    raise InternalError(
                        "The server stopped by itself.", now="What it answered for is kept.", next_step="Start it again."
                    )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if not options.quiet:
        sys.stderr.write("The server has stopped; everything that it answered for is kept.\n")
    answer(options, envelope("serve", "result", settings.environment))
    return int(ExitCode.CLEAN)
