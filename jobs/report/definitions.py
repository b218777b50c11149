"""What each figure of the report means, in words that never change: they stand beside the figures and once more at the end."""

HANDED_OVER = "Handed over: orders first accepted by the provider (pending) on that business date."
RATE_AMOUNT = (
    "Recovery rate (amount): recovered amount / amount handed over of the same cohort, by the end of this business date."
    " Skipped, withdrawn and rejected orders are outside; cancelled ones are inside, and shown apart."
)
RATE_COUNT = "Recovery rate (count): recovered orders / orders handed over of the same cohort."
COHORT = "Cohort: all orders handed over on one business date."
PROVISIONAL = (
    "Provisional until every order of the cohort has ended; final afterwards. Young cohorts always look worse than they end."
)
NET = (
    "Net recovered: recovered - refunds - chargebacks. By booking date (when it was learnt) for the invoice, by cohort"
    " (when it was handed over) for learning; the two need not agree on any one day."
)
INTERVAL = "95 % interval: Wilson's score interval of the rate (count). Kinds with under 30 orders are grey: they say little."
SETTLED = "Over final cohorts alone, as long as one is final; else over all, and provisional."
RECOVERY_DAY = "An order counts as recovered from the day on which the recovery was booked that still stands."
SHARE_BY_DAY = (
    "Share recovered by day: the Aalen-Johansen estimate over all cohorts of the window; orders still open count as long as"
    " they were watched."
)
QUANTILES = "Median and 90th percentile: days from hand-over to recovery, among recovered orders alone."
BALANCE = (
    "opening + claimed + reopened - released - completed = closing, in orders and to the cent; released are withdrawn,"
    " rejected, declined, expired and cancelled orders together."
)
BOOKED = "By booking date: money counts on the business date on which it was learnt. In is positive, out is negative."
BOOKED_LATER = (
    "Caveat: learnt is when a status read told it, not when the card was charged, of which it says nothing. Without a poll"
    " before midnight it counts for the next date; a settlement of the provider's goes by dates of its own."
)
CALLS = (
    "Calls of the API: counted when a run ends, so this date's own stand on the next page. 4xx: refused; 5xx: failed there;"
    " timeout: no answer in time; error: no connection. What was called again is counted again."
)
OVERDUE = "Overdue: the provider has the order, its expiry and outcomes.expiry_grace_seconds are over, and no final answer came."
AVOIDED = (
    "Attempt avoided: an order that a dated network rule kept from being handed over; each order counts once per rule, on the"
    " first date."
)
FEES = (
    "Fees avoided: orders times the published fee for one attempt against the rule on that date, as a range. Acquirers publish"
    " these figures, not the networks; a rule without a published fee counts nothing."
)
COUNTER = (
    "Merchant's attempts: attempts_30d of the order's row, added up over the date's candidates. Ours: orders handed over in the"
    " 30 days that end with this date, at least one attempt each. Whether the provider's attempts count on your own counters at"
    " the networks is not published: ask."
)
DIFFERENCE = (
    "Difference: what the other book has more than the ledger; an order that is missing there counts with its whole amount."
)
CURRENCIES = "Orders may be added over currencies; amounts never are."

ALL = (
    HANDED_OVER,
    COHORT,
    RATE_AMOUNT,
    RATE_COUNT,
    PROVISIONAL,
    SETTLED,
    INTERVAL,
    RECOVERY_DAY,
    SHARE_BY_DAY,
    QUANTILES,
    NET,
    BOOKED,
    BOOKED_LATER,
    BALANCE,
    OVERDUE,
    AVOIDED,
    FEES,
    COUNTER,
    DIFFERENCE,
    CALLS,
    CURRENCIES,
)
