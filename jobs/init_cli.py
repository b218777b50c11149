"""The command line of `mitbatch init`: every question is also a flag."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.output import Options


def add_init_command(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add it to the program; `current` gives the global options when a command runs."""

    @app.command()
    def init(
        environment: Annotated[str, typer.Option("--environment", help="sandbox or production.")] = "",
        mid: Annotated[str, typer.Option("--mid", help="Your merchant id.")] = "",
        site: Annotated[str, typer.Option("--site", help="A site, as your orders name it.")] = "",
        site_id: Annotated[str, typer.Option("--site-id", help="Its id at the provider.")] = "",
        orders_url: Annotated[str, typer.Option("--orders-url", help="The order system's database.")] = "",
        currencies: Annotated[str, typer.Option("--currencies", help="Such as USD,EUR.")] = "",
        timezone: Annotated[str, typer.Option("--timezone", help="Of your business dates.")] = "",
        channel: Annotated[str, typer.Option("--channel", help="sftp for files, api for calls.")] = "",
        sftp_host: Annotated[str, typer.Option("--sftp-host", help="The provider's SFTP server.")] = "",
        sftp_port: Annotated[str, typer.Option("--sftp-port", help="Its port.")] = "",
        sftp_user: Annotated[str, typer.Option("--sftp-user", help="Your user name there.")] = "",
        private_key: Annotated[str, typer.Option("--private-key", help="The file with your own key.")] = "",
        make_key: Annotated[bool, typer.Option("--make-key", help="Make that key, of the kind Ed25519.")] = False,
        known_hosts: Annotated[str, typer.Option("--known-hosts", help="The file with the server's key.")] = "",
        accept_host_key: Annotated[
            str, typer.Option("--accept-host-key", metavar="SHA256:...", help="The fingerprint that the provider told you.")
        ] = "",
        app_key_file: Annotated[str, typer.Option("--app-key-file", help="The file with the app key.")] = "",
        app_secret_file: Annotated[str, typer.Option("--app-secret-file", help="The file with the app secret.")] = "",
        like: Annotated[Path | None, typer.Option("--like", help="A settings file that answers what no flag does.")] = None,
        offline: Annotated[bool, typer.Option("--offline", help="Call nobody; the server's key is fetched later.")] = False,
    ) -> None:
        """Write a commented settings file, get the server's key confirmed, make a key of your own, and let the doctor look.

        Example: mitbatch init --environment sandbox
        """
        from jobs.init.command import run_init
        from jobs.init.planning import Wishes

        given = {
            "--environment": environment,
            "--mid": mid,
            "--site": site,
            "--site-id": site_id,
            "--orders-url": orders_url,
            "--currencies": currencies,
            "--timezone": timezone,
            "--channel": channel,
            "--sftp-host": sftp_host,
            "--sftp-port": sftp_port,
            "--sftp-user": sftp_user,
            "--private-key": private_key,
            "--known-hosts": known_hosts,
            "--app-key-file": app_key_file,
            "--app-secret-file": app_secret_file,
        }
        wishes = Wishes(given, like=like, accept_host_key=accept_host_key, make_key=make_key, offline=offline)
        raise typer.Exit(run_init(current(), wishes))
