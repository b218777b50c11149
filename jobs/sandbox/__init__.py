"""A pretend provider on this machine: HTTP and SFTP in front of one brain, with a journal of everything that it accepted.

It follows schemas/CONTRACT.md and shares no code with the merchant's side, so that a mistake cannot be right at both ends.
An order's outcome is a pure function of the seed and the order id. A payment token (paymentMethod.cardNumber)
whose last group ends in one of these overrides it:

=====  ==========================================================================
a001   completed after one hour
a002   cancelled (declined by the provider) after one hour
a003   expires at expiryDateUtc, and then reads EXPIRED
a004   processing until expiryDateUtc, and then expired, reading Cancelled
a005   the row is refused at intake
a006   Onhold, and stays there
a007   Problem after one hour
a008   completed after one hour, for one cent less
=====  ==========================================================================
"""

from jobs.sandbox.options import SandboxOptions
from jobs.sandbox.server import Sandbox

__all__ = ["Sandbox", "SandboxOptions"]
