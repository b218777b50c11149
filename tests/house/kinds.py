"""The kind of every module of batch: pure, flow, or the edge to one outside thing. A new module is entered here."""

PURE = """
batch batch.audit_csv batch.audit_manifest batch.audit_rows batch.book_entries batch.books batch.build
batch.card_numbers batch.chunks batch.conclusions batch.disk batch.findings batch.gate batch.history_rows batch.night_figures
batch.order_rows batch.pace batch.provider_words batch.responses batch.strict_json batch.tally
""".split()

EDGES = {
    "the ledger": """
        batch.ledger batch.ledger.batches batch.ledger.claim batch.ledger.copies batch.ledger.decisions
        batch.ledger.events batch.ledger.evidence batch.ledger.hints batch.ledger.identity batch.ledger.items
        batch.ledger.lease batch.ledger.moves batch.ledger.past batch.ledger.reading batch.ledger.records
        batch.ledger.steps batch.ledger.transaction batch.ledger_history
    """.split(),
    "the order system": "batch.orders_table batch.source batch.writeback".split(),
    "the provider's SFTP server": "batch.sftp batch.sftp_channel batch.sftp_connection".split(),
    "the provider's API": ["batch.api"],
    "finance's folder": ["batch.audit"],
    "the folder of exports": ["batch.export"],
}

FLOWS = """
batch.acknowledged_copies batch.acknowledged_rows batch.acknowledgements batch.applying batch.bookkeeping
batch.choosing batch.delivery batch.equipment batch.held_rows batch.holding batch.intent batch.outcome_news
batch.outstanding batch.pipeline batch.poll batch.results batch.search batch.set_aside batch.transmit
""".split()

KINDS = {
    **dict.fromkeys(PURE, ("pure", "")),
    **{name: ("edge", thing) for thing, names in EDGES.items() for name in names},
    **dict.fromkeys(FLOWS, ("flow", "")),
}

TYPES_OF_EDGES: dict[str, frozenset[str]] = {
    "batch.bookkeeping": frozenset({"sqlalchemy.Connection"}),
}
"""What a module names of an I/O library although it is no edge: types of what it is handed, nothing that acts."""
