"""Everything that can go wrong, as one tree; a class docstring is its page in `mitbatch explain CODE`.

* MitbatchError
  * UsageRefused (2)
  * ConfigurationError (78): UnknownSetting, SecretMissing, SecretExposed, PathMissing, SftpNotSet; of the doctor:
    SettingsWritable, NothingSwitchedOn, LibraryOld, KeyWeak, RightsMissing, RightsTooMany, LedgerNotDurable, DiskUnfit,
    ClockWrong, ConnectionWeak, WebhookUnheard, ScheduleMissed, SendingPaused
  * SafetyRefusal (30): HostKeyChanged, IdentityChanged, LedgerBehind, LedgerUnfit, DecisionRefused, ModeChanged,
    ActionNotPossible, AuditBroken, EnvironmentMixed, CertifyOnlyInSandbox, CertificationChanged, PackUnfit, NotCertified
  * AnotherRunActive (21): LeaseLost, LeaseWanted; Stopped: Interrupted (130), Terminated (143)
  * NothingSent (20): SftpUnreachable, SftpLoginRefused, SftpRefused, SftpLost, ApiUnreachable, ApiBusy, ApiLoginRefused,
    OrdersUnreachable, LedgerBusy, FileNotWritten
  * AnswerUnreadable (10), AnswerUnprinted (10), ProviderRefused (10), ActionInDoubt (11)
  * InternalError (70): IllegalTransition, TransitionLost, EvidenceChanged
"""

from schemas.error_base import AnotherRunActive as AnotherRunActive
from schemas.error_base import ConfigurationError as ConfigurationError
from schemas.error_base import InternalError as InternalError
from schemas.error_base import MitbatchError as MitbatchError
from schemas.error_base import NothingSent as NothingSent
from schemas.error_base import SafetyRefusal as SafetyRefusal
from schemas.error_base import UsageRefused as UsageRefused
from schemas.exit_codes import EXIT_MEANINGS as EXIT_MEANINGS
from schemas.exit_codes import PRECEDENCE as PRECEDENCE
from schemas.exit_codes import ExitCode as ExitCode
from schemas.operator_errors import ActionInDoubt as ActionInDoubt
from schemas.operator_errors import ActionNotPossible as ActionNotPossible
from schemas.operator_errors import AnswerUnprinted as AnswerUnprinted
from schemas.operator_errors import AuditBroken as AuditBroken
from schemas.operator_errors import CertificationChanged as CertificationChanged
from schemas.operator_errors import CertifyOnlyInSandbox as CertifyOnlyInSandbox
from schemas.operator_errors import ClockWrong as ClockWrong
from schemas.operator_errors import ConnectionWeak as ConnectionWeak
from schemas.operator_errors import DecisionRefused as DecisionRefused
from schemas.operator_errors import DiskUnfit as DiskUnfit
from schemas.operator_errors import EnvironmentMixed as EnvironmentMixed
from schemas.operator_errors import KeyWeak as KeyWeak
from schemas.operator_errors import LedgerNotDurable as LedgerNotDurable
from schemas.operator_errors import LibraryOld as LibraryOld
from schemas.operator_errors import NightDone as NightDone
from schemas.operator_errors import NotCertified as NotCertified
from schemas.operator_errors import NothingSwitchedOn as NothingSwitchedOn
from schemas.operator_errors import PackUnfit as PackUnfit
from schemas.operator_errors import ProviderRefused as ProviderRefused
from schemas.operator_errors import ReportNotDrawn as ReportNotDrawn
from schemas.operator_errors import RightsMissing as RightsMissing
from schemas.operator_errors import RightsTooMany as RightsTooMany
from schemas.operator_errors import ScheduleMissed as ScheduleMissed
from schemas.operator_errors import SendingPaused as SendingPaused
from schemas.operator_errors import SettingsWritable as SettingsWritable
from schemas.operator_errors import WebhookUnheard as WebhookUnheard


class UnknownSetting(ConfigurationError):
    """The settings file has a key that nothing reads, probably misspelt. Use the name that the sentence proposes."""

    code = "MB-CONFIG-UNKNOWN"


class SecretMissing(ConfigurationError):
    """A secret is neither in a file named by `<key>_file`, nor in the environment, nor in the keyring. Put it in one."""

    code = "MB-SECRET-MISSING"


class SecretExposed(ConfigurationError):
    """A secret can be read by others, or stands in the settings file itself. Move it to a file of mode 0600 (chmod 600)."""

    code = "MB-SECRET-EXPOSED"


class PathMissing(ConfigurationError):
    """A file or folder that the settings name is not there or cannot be used. Create it, or correct the path."""

    code = "MB-CONFIG-PATH"
    next_step = "Make it, or correct its path in the settings file."


class SftpNotSet(ConfigurationError):
    """The settings have no section [sftp], and something still has to be done with files: some are unsent or unanswered.

    Files that were claimed go as files, whatever the channels are now. Put the section back, with the host key as it was,
    until they are answered; who sends by calls alone needs it no longer then.
    """

    code = "MB-SFTP-NOT-SET"


class HostKeyChanged(SafetyRefusal):
    """The SFTP server showed another host key than the one on file: a new key, another server, or somebody between.

    Ask the provider, over another channel, for the new key's fingerprint. Nothing is sent until known_hosts and the
    ledger agree on the key that the server shows: `mitbatch doctor sftp --show-key` prints it, and once it stands in
    known_hosts `mitbatch lock update --reason "..."` locks the ledger to it.
    """

    code = "MB-SFTP-HOSTKEY"


class IdentityChanged(SafetyRefusal):
    """The ledger belongs to another environment, API URL, merchant id or SFTP host key than the settings name.

    Go back to the settings that this ledger was made with; for another merchant account or environment use another
    data_dir, so that two environments never mix. `mitbatch lock show` prints both sides; a host key or an address that the
    provider changed is taken over by `mitbatch lock update --reason "..."`.
    """

    code = "MB-LEDGER-IDENTITY"


class LedgerBehind(SafetyRefusal):
    """Files or calls have left of which this ledger knows nothing, or less: it is an older copy, or an empty or another one.

    Going on would send them again, or release orders that are at the provider. Restore the newest copy of the ledger. If it
    is lost, do not start with this one: every order that is held in the order system may be at the provider; ask its
    support about the files that are named. Only when each of their orders is settled by hand, take the marks of these
    files out of the folder `sent` in data_dir.
    """

    code = "MB-LEDGER-BEHIND"


class LedgerUnfit(SafetyRefusal):
    """The ledger cannot be trusted or is of another version: damaged, on a newer schema, or without full synchronisation."""

    code = "MB-LEDGER-UNFIT"


class ModeChanged(SafetyRefusal):
    """`provider.mit_mode` was changed while orders that were claimed in the other mode are open.

    In one mode a decline ends an order, in the other it does not; the two are never mixed. Set the mode back and let nightly
    and poll settle what is open, or let poll alone settle it; then change the mode.
    """

    code = "MB-MODE-CHANGED"


class LeaseLost(AnotherRunActive):
    """This run was paused for longer than its lease, and another run took over. It stopped before changing anything more."""

    code = "MB-LEASE-LOST"


class LeaseWanted(AnotherRunActive):
    """A nightly or rerun waits for this lesser run, which stopped at its step; the waiting run goes on with the rest."""

    code = "MB-LEASE-WANTED"


class Stopped(MitbatchError):
    """Somebody asked this run to stop; it finished the step in hand. Running again goes on where it stopped."""

    code = "MB-STOPPED"
    exit_code = ExitCode.INTERRUPTED
    now = "The ledger is consistent."
    next_step = "Run the same command again: it goes on where this one stopped."


class Interrupted(Stopped):
    """Ctrl-C: the step in hand was finished. Running again goes on where it stopped."""

    code = "MB-INTERRUPTED"


class Terminated(Stopped):
    """SIGTERM: the step in hand was finished. Running again goes on where it stopped."""

    code = "MB-TERMINATED"
    exit_code = ExitCode.TERMINATED


class SftpUnreachable(NothingSent):
    """No connection to the SFTP server came about. Check host, port, network and the provider's allow-list."""

    code = "MB-SFTP-UNREACHABLE"
    next_step = "Check sftp.host, sftp.port, the network and the provider's allow-list."


class SftpLoginRefused(NothingSent):
    """The SFTP server refused our user name or key. Check `sftp.username` and `sftp.private_key`; ask the provider."""

    code = "MB-SFTP-LOGIN"
    next_step = "Check sftp.username and sftp.private_key, and ask the provider."


class SftpRefused(NothingSent):
    """The SFTP server answered no to one step: rights, space, or a name that is taken. The sentence names the step.

    `absent` says that its answer was: there is no such file.
    """

    code = "MB-SFTP-REFUSED"

    def __init__(self, what: str, *, absent: bool = False) -> None:
        super().__init__(what)
        self.absent = absent


class SftpLost(NothingSent):
    """The connection to the SFTP server broke, or a step took longer than `sftp.deadline_seconds`."""

    code = "MB-SFTP-LOST"


class ApiUnreachable(NothingSent):
    """The provider's API did not answer. Check `provider.api_url` and the network; running again is safe."""

    code = "MB-API-UNREACHABLE"
    next_step = "Check provider.api_url and the network; running again is safe."


class ApiBusy(NothingSent):
    """The provider's API asks us, again and again, to come later. What was not taken stays held; the next run goes on."""

    code = "MB-API-BUSY"
    next_step = "Wait a while, then run again: it goes on where this run stopped."


class ApiLoginRefused(NothingSent):
    """The provider's API refused our credentials. Check the app key and the app secret of this environment."""

    code = "MB-API-LOGIN"
    next_step = "Check the app key and the app secret of this environment."


class OrdersUnreachable(NothingSent):
    """The order system's database did not do what was asked. Holds are unchanged; check `orders.url` and the rights."""

    code = "MB-ORDERS-UNREACHABLE"
    next_step = "Check orders.url and the rights; running again is safe."


class LedgerBusy(NothingSent):
    """The ledger's database did not answer or stayed locked. Nothing of that step was written; running again is safe."""

    code = "MB-LEDGER-BUSY"


class FileNotWritten(NothingSent):
    """A file of ours could not be written under data_dir: the disk is full, or the rights are wrong. The ledger is complete."""

    code = "MB-DISK"
    next_step = "Free the disk or correct the rights of data_dir, then run mitbatch poll: it writes what is missing."


class AnswerUnreadable(MitbatchError):
    """An answer of the provider was not what the contract says: too big, not strict JSON, or without what is needed.

    It is stored as evidence and set aside; nothing changed. Send it to the provider and ask.
    """

    code = "MB-ANSWER-UNREADABLE"
    exit_code = ExitCode.NEEDS_PERSON
    now = "It is set aside; nothing changed."


class IllegalTransition(InternalError):
    """A move between two states that no rule allows was asked for, and refused."""

    code = "MB-STATE-EDGE"


class TransitionLost(InternalError):
    """An order was no longer in the state that a move started from; nothing was written."""

    code = "MB-STATE-MOVED"


class EvidenceChanged(InternalError):
    """Rows of a batch no longer render to the bytes whose digest was recorded before the first attempt; it was not sent."""

    code = "MB-ROWS-CHANGED"
