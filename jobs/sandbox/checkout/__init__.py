"""A shop with a checkout for a customer who is present (CIT), against this sandbox: to look at, and to copy from.

The shop is the merchant's, not the provider's, and talks to the provider by HTTP alone. While a customer waits nobody can
wait for a night's run, so this checkout calls evaluate itself; what can wait is left to mitbatch. Who does what
stands on the order's row, in the same table of orders that it reads, and one rule keeps them apart: **what is declined and
claimed (`retry_state = 'in_flight'`) is the checkout's, what is declined and unclaimed is mitbatch's.**

1. The order id is set first: the row stands with the status `open` before anything is asked of anybody.
2. Pay: one atomic step takes the row from `open` to `paying`. A second click, a reload or a second window finds it taken.
3. The card becomes a token. If the provider cannot be reached the sale goes on without one.
4. The shop's own gateway is asked. A good charge is `paid`, and the night sends its copy (transmit) with the others.
5. A decline is written together with the claim, in one statement, so that no night can take the row meanwhile.
   The idempotency key follows from the order id, so that it was known before anything was sent.
6. Evaluate, once. What the answer proves decides (`provider.proved`): nothing was done, so the claim is lifted and the row is
   mitbatch's (its CIT path, `switches.cit_website`, sends it in the night); it was refused, so it is `not_recovered`; it
   was taken, so the row is `pending` and held by the claim; or nobody knows, and the claim stays and it is never sent again.
7. How it ends, a read of the order says (`Till.settle`), asked by the page, or because a webhook told that there is news.
   In the standard flow that is at once. In the advanced flow, and after a CHALLENGE, the customer answers in the widget first.

If the program dies: before 5 the provider was sent nothing, and your gateway has to say what it did; after 5 the row stays
claimed, and the next look at the page asks the provider by the order id. No card number or security code is kept, logged or
shown, and only the published test cards are taken.
"""

from jobs.sandbox.checkout.server import Checkout

__all__ = ["Checkout"]
