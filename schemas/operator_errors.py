"""What a person is told who acts by hand, verifies, or asks the doctor. A part of `schemas.errors`."""

from schemas.error_base import ConfigurationError, MitbatchError, SafetyRefusal
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


class NightDone(MitbatchError):
    """`nightly --once` found that the night of its business date is done. It did nothing, and that is right.

    Another scheduler, another machine or a person ran it. Without --once a nightly goes through the date again, which is safe.
    """

    code = "MB-NIGHT-DONE"
    exit_code = ExitCode.CLEAN
    now = "Nothing is left to do."


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
    now = "Nothing was done there."


class ActionInDoubt(MitbatchError):
    """A cancel, a capture or a refund got no clear answer: it may or may not have happened. It is not asked for again by itself.

    The next `mitbatch poll` reads the order, which settles it where the provider shows enough; where it does not, an item
    stays open for a person, who asks the provider's support.
    """

    code = "MB-ACTION-IN-DOUBT"
    exit_code = ExitCode.IN_DOUBT
    now = "It is not asked for again by itself."
    next_step = "Run mitbatch poll: it reads the order, which settles this."


class EnvironmentMixed(SafetyRefusal):
    """The settings name one environment and the other one's address: orders would go where nobody means them to go.

    Set `environment` and `provider.api_url` so that they belong together; the keys are those of the same environment.
    """

    code = "MB-ENVIRONMENT"


class SettingsWritable(ConfigurationError):
    """Others than its owner can write the settings file, and with it decide where orders and money go. Run chmod go-w on it."""

    code = "MB-SETTINGS-WRITABLE"


class NothingSwitchedOn(ConfigurationError):
    """No order would ever be handed over: every switch, or every site, is off in the settings."""

    code = "MB-SWITCHED-OFF"


class LibraryOld(ConfigurationError):
    """An installed library is missing or older than the oldest version that is safe. Install what requirements.lock names."""

    code = "MB-LIBRARY"


class KeyWeak(ConfigurationError):
    """The key for the SFTP server is of a kind that should not be used any more. Use Ed25519, or RSA of 3072 bits at least."""

    code = "MB-KEY-WEAK"


class RightsMissing(ConfigurationError):
    """The database login cannot do what a night does. Grant what the sentence names.

    `mitbatch help operation rights` prints the statements.
    """

    code = "MB-RIGHTS-MISSING"


class RightsTooMany(ConfigurationError):
    """The database login can do more than a night needs, so a mistake or a thief could do more as well.

    Make a login for this alone, with the rights of `mitbatch help operation rights` and no other.
    """

    code = "MB-RIGHTS-TOO-MANY"


class LedgerNotDurable(ConfigurationError):
    """The ledger's storage could lose what it has confirmed, and with that an order could be sent twice.

    A ledger needs a disk of its own machine (no network folder), SQLite's write-ahead log, and a PostgreSQL with `fsync`
    and `full_page_writes` on.
    """

    code = "MB-LEDGER-NOT-DURABLE"


class DiskUnfit(ConfigurationError):
    """`data_dir` has too little room, cannot be written, or is open to others. Free the disk or correct its rights."""

    code = "MB-DISK-UNFIT"


class ClockWrong(ConfigurationError):
    """This machine's clock is not right: tokens and webhooks are refused, and business dates are wrong. Set it by NTP."""

    code = "MB-CLOCK"


class ConnectionWeak(ConfigurationError):
    """The SFTP server knows no strict key exchange (CVE-2023-48795): somebody on the line could drop the first messages.

    Ask the provider for a newer SSH server; OpenSSH has it since 9.6.
    """

    code = "MB-SFTP-WEAK"


class WebhookUnheard(ConfigurationError):
    """Nobody answers at the address that the provider was given for webhooks, or somebody else does.

    Orders still end by polls, only later. Start `mitbatch serve`, and let the proxy pass on /webhooks/flexfactor.
    """

    code = "MB-WEBHOOK-UNHEARD"


class ScheduleMissed(ConfigurationError):
    """A job did not run when it should have, or its last run did not end well. `mitbatch status` shows how it ended."""

    code = "MB-SCHEDULE"


class ReportNotDrawn(MitbatchError):
    """The page of a business date could not be drawn. Finance's CSV files and their manifest are written and complete.

    Report it with the trace. `mitbatch report --date DATE` draws it again once it is mended.
    """

    code = "MB-REPORT"
    now = "Finance's files are written."
    exit_code = ExitCode.NEEDS_PERSON
    next_step = "Report it; mitbatch summary shows the figures meanwhile."


class AnswerUnprinted(MitbatchError):
    """What a command answered did not all get onto the device that its output goes to: mostly a disk that is full.

    The command itself went to its end, and its own exit code stands unless it was 0. Free the disk, then look: mitbatch status.
    """

    code = "MB-UNPRINTED"
    exit_code = ExitCode.NEEDS_PERSON
    now = "The command itself went to its end."
    next_step = "Free that device, then see how the runs ended: mitbatch status"


class SendingPaused(ConfigurationError):
    """Somebody has paused sending by hand: nothing new goes out until `mitbatch resume`; outcomes are still collected."""

    code = "MB-PAUSED"


class CertifyOnlyInSandbox(SafetyRefusal):
    """A certification makes orders of its own, and shows items with test cards: neither belongs into production.

    Run `mitbatch certify` with the settings of the provider's sandbox.
    """

    code = "MB-CERTIFY-PRODUCTION"
    next_step = "Name the settings of the provider's sandbox: mitbatch --config FILE certify"


class CertificationChanged(SafetyRefusal):
    """A pack, an event or the evidence of a certification is not as it was written. Nothing that rests on it is believed.

    Find out who changed the folder `certification` in `data_dir`. Restore it from a copy; without one, move the folder aside,
    run `mitbatch certify` again, and attest again.
    """

    code = "MB-CERTIFICATION-CHANGED"


class PackUnfit(SafetyRefusal):
    """A certification pack would hold a card number, a token or a secret, so it was not written. The sentence names the place.

    That is a mistake in this program, or such a value stands where none belongs: in an order id or an error text.
    """

    code = "MB-CERTIFICATION-UNFIT"
    now = "The pack was not written."


class NotCertified(SafetyRefusal):
    """`mitbatch go-live` found items of the provider's checklist that are not shown, or something of the sandbox that is left.

    Each is named with what to do. Nothing was changed, and nothing is sent in production by this command in any case.
    """

    code = "MB-NOT-CERTIFIED"
    now = "Nothing was changed."
