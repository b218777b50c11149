"""The commands that ask the provider for something about single orders: cancel, capture, refund."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.output import Options
from schemas.errors import UsageRefused

_Order = Annotated[str, typer.Argument(metavar="ORDER", help="Your own order id.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the ledger for ever.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; ask for nothing, write nothing.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking; for scripts.")]


def add_action_commands(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add them to the program; `current` gives the global options when a command runs."""

    @app.command()
    def cancel(
        order: _Order,
        reason: _Reason,
        external: Annotated[
            bool, typer.Option("--external", help="By your own id, for an order in doubt whose id at the provider never came.")
        ] = False,
        dry_run: _DryRun = False,
        yes: _Yes = False,
    ) -> None:
        """Stop an order at the provider. If it completes all the same, it comes under review with a refund proposed.

        Example: mitbatch cancel 000471 --reason "the customer paid by invoice" --dry-run
        """
        from jobs.by_order import cancel as act

        raise typer.Exit(act(current(), order, reason=reason, external=external, dry_run=dry_run, yes=yes))

    @app.command()
    def capture(order: _Order, reason: _Reason, dry_run: _DryRun = False, yes: _Yes = False) -> None:
        """Take the full amount of an order that the provider has authorised and that waits for it.

        Example: mitbatch capture 000471 --reason "goods were sent" --dry-run  # exits 30, for it waits for none
        """
        from jobs.by_order import capture as act

        raise typer.Exit(act(current(), order, reason=reason, dry_run=dry_run, yes=yes))

    @app.command()
    def refund(
        order: Annotated[str, typer.Argument(metavar="[ORDER]", help="Your own order id; none with --csv.")] = "",
        amount: Annotated[str, typer.Option("--amount", help="How much, with its decimals: 12.34.")] = "",
        reason: _Reason = "",
        request_id: Annotated[
            str, typer.Option("--request-id", help="Your name for this request; repeating it never refunds twice.")
        ] = "",
        csv: Annotated[
            Path | None, typer.Option("--csv", help="Many: order_id,amount,currency,reason,request_id, all filled.")
        ] = None,
        confirm: Annotated[str, typer.Option("--confirm", help="With --csv in production: the total, as it is shown.")] = "",
        dry_run: _DryRun = False,
        yes: _Yes = False,
    ) -> None:
        """Give a recovered amount back, in part or whole, never more than is left and never twice for one request.

        Example: mitbatch refund 000471 --amount 12.34 --reason "returned" --dry-run  # exits 30, for it is pending
        """
        from jobs.refunds import refund_many, refund_one

        if csv is not None:
            if order or amount or reason or request_id:
                raise UsageRefused("With --csv, the file names the orders, amounts, reasons and request ids.")
            raise typer.Exit(refund_many(current(), csv, confirm=confirm, dry_run=dry_run, yes=yes))
        if not order or not amount:
            raise UsageRefused("A refund needs an order and --amount, or --csv.", next_step="See: mitbatch refund --help")
        raise typer.Exit(
            refund_one(current(), order, amount=amount, reason=reason, request_id=request_id, dry_run=dry_run, yes=yes)
        )
