"""The kind of every module of batch: pure, flow, or the edge to one outside thing. A new module is entered here."""

PURE = """
batch
batch.action_rules
batch.audit_csv
batch.audit_manifest
batch.audit_rows
batch.book_entries
batch.books
batch.build
batch.call_answers
batch.call_rulings
batch.card_lines
batch.card_numbers
batch.compared
batch.comparison_rows
batch.conclusions
batch.csv_answers
batch.database_state
batch.day_counts
batch.digest_disk
batch.disk
batch.file_rulings
batch.findings
batch.fitting
batch.gate
batch.history_rows
batch.house_charges
batch.many_rows
batch.night_figures
batch.odd_rows
batch.order_commands
batch.order_rows
batch.order_rulings
batch.pace
batch.provider_reads
batch.provider_words
batch.reconcile
batch.refund_rows
batch.report_figures
batch.report_lives
batch.report_operation
batch.responses
batch.review_rows
batch.seen_rows
batch.settlement
batch.strict_csv
batch.strict_json
batch.switching
batch.tally
batch.tampering
batch.token_answers
batch.webhooks
""".split()

EDGES = {
    "the ledger": """
        batch.comparison_history
        batch.forgotten_seals
        batch.history_statements
        batch.item_history
        batch.ledger
        batch.ledger.batches
        batch.ledger.calls
        batch.ledger.captures
        batch.ledger.claim
        batch.ledger.comparison_past
        batch.ledger.comparisons
        batch.ledger.completed_by_hand
        batch.ledger.copies
        batch.ledger.decisions
        batch.ledger.events
        batch.ledger.evidence
        batch.ledger.figures
        batch.ledger.forgotten_answers
        batch.ledger.file_figures
        batch.ledger.gauges
        batch.ledger.guarded_steps
        batch.ledger.hints
        batch.ledger.holds
        batch.ledger.identity
        batch.ledger.items
        batch.ledger.lease
        batch.ledger.mentions
        batch.ledger.moves
        batch.ledger.open_orders
        batch.ledger.operations
        batch.ledger.order_story
        batch.ledger.paging
        batch.ledger.own_chain
        batch.ledger.past
        batch.ledger.reading
        batch.ledger.relocking
        batch.ledger.records
        batch.ledger.repeats
        batch.ledger.sent_records
        batch.ledger.steps
        batch.ledger.switches
        batch.ledger.transaction
        batch.ledger.webhook_inbox
        batch.ledger_history
        batch.ledger_seals
        batch.operation_seals
        batch.report_history
        batch.report_statements
        batch.row_seals
    """.split(),
    "the order system": "batch.orders_table batch.row_statements batch.source batch.token_writer batch.writeback".split(),
    "the provider's SFTP server": "batch.no_server batch.sftp batch.sftp_channel batch.sftp_connection".split(),
    "the provider's API": "batch.api batch.api_actions batch.api_line batch.api_sends".split(),
    "finance's folder": ["batch.audit"],
    "the folder of exports": ["batch.export"],
    "the folder of marks": ["batch.departures"],
    "the folder of what pages were drawn from": ["batch.drawn_pages"],
    "the folder of what files were made from": ["batch.written_dates"],
}

FLOWS = """
batch.acknowledged_copies
batch.acknowledged_rows
batch.acknowledgements
batch.after_release
batch.api_copies
batch.api_delivery
batch.api_evaluates
batch.applying
batch.asking
batch.bookkeeping
batch.call_decisions
batch.cancelling
batch.capturing
batch.choosing
batch.comparing
batch.comparison_books
batch.comparison_cancels
batch.comparison_strangers
batch.comparison_tells
batch.contradictions
batch.deciding
batch.delivery
batch.early_news
batch.equipment
batch.evaluate_answers
batch.files_in_use
batch.forgetting
batch.held_rows
batch.hinted_refusals
batch.holding
batch.intent
batch.left_over_copies
batch.listing
batch.missed
batch.modes
batch.outcome_news
batch.outstanding
batch.paging
batch.permission
batch.pipeline
batch.poll
batch.provider_list
batch.purposes
batch.read_again
batch.reading_again
batch.refund_effects
batch.refund_requests
batch.refunding
batch.repeating
batch.request_decisions
batch.results
batch.review
batch.run_figures
batch.search
batch.second_attempts
batch.set_aside
batch.settled_orders
batch.settling
batch.sync_repeats
batch.told_changes
batch.tokenizing
batch.transmit
batch.trusted_files
batch.verifying
batch.waiting
batch.webhook_news
""".split()

KINDS = {
    **dict.fromkeys(PURE, ("pure", "")),
    **{name: ("edge", thing) for thing, names in EDGES.items() for name in names},
    **dict.fromkeys(FLOWS, ("flow", "")),
}

_OF_STATEMENTS = ("Dialect", "Insert", "Update", "sql.compiler", "sql.compiler.SQLCompiler")

TYPES_OF_EDGES: dict[str, frozenset[str]] = {
    "batch.bookkeeping": frozenset({"sqlalchemy.Connection"}),
    "batch.many_rows": frozenset(f"sqlalchemy.{name}" for name in _OF_STATEMENTS),
    "batch.permission": frozenset({"sqlalchemy.Connection"}),
    "batch.purposes": frozenset({"sqlalchemy.Connection"}),
    "batch.run_figures": frozenset({"sqlalchemy.Connection"}),
}
"""What a module names of an I/O library although it is no edge: types of what it is handed, nothing that acts."""
