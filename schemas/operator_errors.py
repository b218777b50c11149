"""What a person is told who acts by hand: decisions, cancels, captures, refunds, verifying. A part of `schemas.errors`."""

from schemas.error_base import MitbatchError, SafetyRefusal
from schemas.exit_codes import ExitCode


class DecisionRefused(SafetyRefusal):
    """What a person decided does not fit what the ledger or the provider says now. Nothing was changed.

    Look at both sides (mitbatch explain ORDER), and decide again.
    """

    code = "MB-DECISION"
    now = "Nothing was changed."


class ActionNotPossible(SafetyRefusal):
    """A cancel, capture or refund that cannot be asked for as the order stands: not completed, more than is left, ended already.

    Nothing was asked of the provider and nothing was written down. `mitbatch explain ORDER` shows how the order stands.
    """

    code = "MB-ACTION-NOT-POSSIBLE"


class AuditBroken(SafetyRefusal):
    """Finance's files or the ledger are not as they were written: find out who changed them before anybody relies on them.

    A file: keep a copy, then `mitbatch audit export --from DATE` writes it again from the ledger. A ledger that was
    changed cannot be mended by hand: restore its newest good copy.
    """

    code = "MB-AUDIT"
    next_step = "Read mitbatch explain MB-AUDIT before anything else."


class ProviderRefused(MitbatchError):
    """The provider said no to a cancel, a capture or a refund; its reason stands in the sentence. Nothing was done there.

    The request and the answer are in the ledger (`mitbatch explain ORDER`) and in finance's files.
    """

    code = "MB-PROVIDER-REFUSED"
    exit_code = ExitCode.NEEDS_PERSON


class ActionInDoubt(MitbatchError):
    """A cancel, a capture or a refund got no clear answer: it may or may not have happened. It is not asked for again by itself.

    The next `mitbatch poll` reads the order, which settles it where the provider shows enough; where it does not, an item
    stays open for a person, who asks the provider's support.
    """

    code = "MB-ACTION-IN-DOUBT"
    exit_code = ExitCode.IN_DOUBT
    next_step = "Run mitbatch poll: it reads the order, which settles this."
