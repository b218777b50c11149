"""A pretend provider on this machine: HTTP and SFTP in front of one brain, with a journal of everything that it accepted.

It follows schemas/CONTRACT.md and shares no code with the merchant's side, so that a mistake cannot be right at both ends.
An order's outcome is a pure function of the seed, the order id and the payment.

Test values that the provider has published (CONTRACT 15), raw with `token: false` or behind a token of `POST tokenize`:

================  ==================================================================================================
4000002760003184  sync MIT: APPROVED; CIT: APPROVED, as AUTHORIZATION: CAPTUREREQUIRED; managed MIT: completes some day
4111111111111111  CIT: CHALLENGE with 99.2001 in payer.phone, DECLINED with neither phone nor CVV, else APPROVED;
                  sync MIT: APPROVED; managed MIT: completes some day
any other card    CIT and sync MIT: DECLINED (the sync MIT is worked on until its period ends); managed MIT: never completes
================  ==================================================================================================

Where nothing is published, the last four digits of a payment token (paymentMethod.cardNumber) decide. For every MIT;
a sync MIT is DECLINED first, and the rest happens in the background:

=====  ==========================================================================
a001   completed after one hour
a002   cancelled (declined by the provider) after one hour
a003   expires at expiryDateUtc, and then reads EXPIRED
a004   processing until expiryDateUtc, and then expired, reading Cancelled
a005   the row is refused at intake
a006   Onhold, and stays there
a007   Problem after one hour
a008   completed after one hour, for one cent less
a009   Capturerequired after one hour; voided when the capture window is over
a00a   completed after one hour, charged back a day later
a00b   completed after one hour, Returned by the provider a day later
a00c   cancelled after one hour, and completed all the same a day later
=====  ==========================================================================

For a CIT, and b001, b002 and b005 for a sync MIT too:

=====  ==========================================================================
b001   APPROVED at once
b002   DECLINED at once
b003   CHALLENGE: attempted after five minutes, passed after ten
b004   CHALLENGE: attempted after five minutes, failed after ten
b005   CAPTUREREQUIRED at once
=====  ==========================================================================

A CIT whose senseKey begins with `widget-` comes from a page that carries the provider's widget (the advanced
integration): evaluate answers SUBMITTED, and the order ends as above once the customer has answered in the widget, at
`/_sandbox/widget/{orderSessionKey}`, or after ten minutes. The code 999 passes there, another fails; a CHALLENGE can be
answered in the same place. `mitbatch sandbox --checkout` (`jobs.sandbox.checkout`) shows all of it in a shop.

Any other token is decided by a hash of seed and order id: of a hundred managed MITs about 45 complete, 20 are
cancelled and 35 expire; of three sync MITs one is approved at once; of a hundred CITs about 45 are approved and
10 challenged.
"""

from jobs.sandbox.options import SandboxOptions
from jobs.sandbox.server import Sandbox

__all__ = ["Sandbox", "SandboxOptions"]
