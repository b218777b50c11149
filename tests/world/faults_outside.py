"""Part of the catalogue of `tests.world.faults`: what goes wrong on the way to the provider and back."""

from tests.world.known import Known

OUTSIDE = {
    "N-01": Known("the connection is refused, or the name is not found", world="sandbox refuse_connection; network before"),
    "N-02": Known(
        "the connection is lost after some bytes of the part", world="sandbox drop_connection_halfway, drop_before_rename"
    ),
    "N-03": Known("the connection is lost after the last byte, before the close is answered", world="sandbox drop_after_close"),
    "N-04": Known(
        "the connection is lost after the rename was done, its answer is lost",
        world="sandbox drop_after_rename, failure_after_rename",
    ),
    "N-05": Known("the server takes the file away at once after the rename", world="sandbox take_file_at_once"),
    "N-06": Known("the server's disk is full in the midst of a write", world="sandbox disk_full"),
    "N-07": Known(
        "permission is denied for a write, rename, listing or removal",
        world="sandbox refuse_write, refuse_rename, refuse_list, refuse_remove",
    ),
    "N-08": Known("the host key has changed", world="sandbox other_host_key", tests=("tests/openssh/test_night.py",)),
    "N-09": Known(
        "the host offers weak algorithms alone", world="sandbox weak_algorithms", tests=("tests/openssh/test_steps.py",)
    ),
    "N-10": Known(
        "the server sends a byte a second, or stalls without closing",
        world="sandbox stall, stall_after",
        tests=("tests/openssh/test_steps.py",),
    ),
    "N-11": Known("the socket is half closed, or reset", world="sandbox half_closed, reset_line"),
    "N-12": Known("a write is short, a size is missing or wrong", world="sandbox short_write, size_missing, wrong_size"),
    "N-13": Known("the server appends to a part instead of truncating it", world="sandbox append_instead_of_truncate"),
    "N-14": Known(
        "the final name exists already", world="sandbox name_taken, failure_after_rename", tests=("tests/openssh/test_night.py",)
    ),
    "N-15": Known("rename is not supported, or is a copy that breaks off", world="sandbox rename_unsupported, copied_rename"),
    "N-16": Known(
        "a listing is stale, partial, long or in no order; a file vanishes before it is read",
        world="sandbox stale_list, partial_list, unordered_list, crowded_list, vanished_file",
    ),
    "N-17": Known(
        "too many sessions or logins, or an address that is not allowed",
        world="sandbox too_many_sessions, refuse_login, refuse_connection",
    ),
    "N-18": Known("two hosts behind one name show different folders", world="sandbox other_host_view"),
    "H-01": Known("the token has expired: 401", world="sandbox unauthorized_once"),
    "H-02": Known("the secret was rotated or revoked: no login any more", world="sandbox token_refused"),
    "H-03": Known("403, or another merchant id than ours", world="sandbox forbidden"),
    "H-04": Known("429 with every kind of Retry-After", world="sandbox too_many_requests and its kinds"),
    "H-05": Known(
        "500 or 504 after the effect",
        world="sandbox server_error_after, gateway_timeout_after (on reads)",
        tests=("tests/night/test_api_channel.py",),
    ),
    "H-06": Known(
        "a timeout or a reset after the effect",
        world="sandbox reset_connection, silence_after; network after (on reads)",
        tests=("tests/night/test_api_channel.py",),
    ),
    "H-07": Known(
        "502, 503 or 504 before anything was done",
        world="sandbox bad_gateway, service_unavailable, gateway_timeout, server_error_before (on reads)",
        tests=("tests/night/test_api_channel.py",),
    ),
    "H-08": Known(
        "409: in progress, or the key was used with another payload",
        tests=("tests/sandbox/test_http_faults.py", "tests/night/test_api_channel.py"),
    ),
    "H-09": Known("400 for one order", tests=("tests/sandbox/test_http_faults.py", "tests/night/test_api_channel.py")),
    "H-10": Known("200 with a page of HTML, or with nothing", world="sandbox html_answer, empty_answer"),
    "H-11": Known(
        "JSON that is broken, cut, not UTF-8, with a key twice, deep or huge",
        world="sandbox malformed_json, truncated_json, not_utf8_json, duplicate_key_json, deep_json, huge_json",
        tests=("tests/fuzz/test_fuzz.py",),
    ),
    "H-12": Known("success is false in a 200, or status and success disagree", world="sandbox failure_in_200"),
    "H-13": Known("a status or a code that nobody knows", world="sandbox unknown_status; row 'problem'"),
    "H-14": Known("an answer about another order", world="sandbox other_order_answer"),
    "H-15": Known(
        "pages that repeat, skip, or are wrong about the next one", world="sandbox page_repeats, page_skips, next_page_wrong"
    ),
    "H-16": Known("not found, for an order that was accepted", world="sandbox not_found, not_found_yet"),
    "H-17": Known("a redirect to another host", world="sandbox redirect_elsewhere"),
    "H-18": Known("a certificate that is invalid, expired, or for another host", tests=("tests/night/test_tls.py",)),
    "H-19": Known(
        "the provider's clock is wrong, a token lives for nothing or for ever",
        world="sandbox clock_behind, expires_zero, expires_negative, expires_far_away",
    ),
    "H-20": Known("a gzip bomb, or a body without end", world="sandbox gzip_bomb, endless_body"),
    "W-01": Known(
        "a forged webhook: no signature, or a bad one",
        world="sandbox wrong_webhook_key, unsigned_webhook, changed_webhook_body",
        tests=("tests/webhooks/test_serve.py", "tests/webhooks/test_sandbox_sends.py"),
    ),
    "W-02": Known(
        "a valid webhook comes again, later, or for another host",
        world="sandbox stale_webhook, other_host_webhook, replayed_webhook",
        tests=("tests/webhooks/test_serve.py", "tests/webhooks/test_sandbox_sends.py"),
    ),
    "W-03": Known(
        "the same webhook a hundred times at once",
        world="sandbox duplicate_webhook, resent_webhook",
        tests=("tests/webhooks/test_serve.py", "tests/webhooks/test_sandbox_sends.py"),
    ),
    "W-04": Known(
        "a webhook before our claim or the acknowledgement",
        world="sandbox early_webhook",
        tests=("tests/webhooks/test_sandbox_sends.py",),
    ),
    "W-05": Known(
        "expired then completed by webhook, or the reverse",
        world="sandbox contrary_webhook, late_webhook",
        tests=("tests/webhooks/test_sandbox_sends.py",),
    ),
    "W-06": Known("a webhook from test mode", world="sandbox test_mode_webhook", tests=("tests/webhooks/test_sandbox_sends.py",)),
    "W-07": Known(
        "a webhook with an odd content type, odd fields, or a huge or slow body",
        world="sandbox odd_content_type, extra_webhook_fields, absent_webhook_fields, huge_webhook",
        tests=("tests/webhooks/test_serve.py", "tests/webhooks/test_sandbox_sends.py"),
    ),
    "W-08": Known(
        "a webhook about an order that nobody sent",
        world="sandbox unknown_order_webhook",
        tests=("tests/webhooks/test_sandbox_sends.py",),
    ),
    "F-01": Known(
        "a file that is cut inside a row or a character",
        world="sandbox partial_acknowledgement, cut_inside_character",
        tests=("tests/fuzz/test_fuzz.py",),
    ),
    "F-02": Known("a file that grows while it is read", world="sandbox growing_file"),
    "F-03": Known(
        "rows twice, with the same status", world="sandbox duplicate_rows", tests=("tests/confluence/test_confluence.py",)
    ),
    "F-04": Known(
        "rows twice, with contrary statuses", world="sandbox contradictory_rows", tests=("tests/confluence/test_confluence.py",)
    ),
    "F-05": Known("rows about orders that nobody sent", world="sandbox unknown_orders"),
    "F-06": Known("rows that are missing", world="sandbox missing_rows, no_acknowledgement"),
    "F-07": Known("files out of order, or late", world="sandbox late_file"),
    "F-08": Known(
        "the same file twice, the same content under another name, another content under the same name",
        world="sandbox repeated_file, same_content_other_name, same_name_other_content",
    ),
    "F-09": Known("an answer before we know that we have sent", world="sandbox take_file_at_once"),
    "F-10": Known(
        "expired after it was approved", world="sandbox expired_after_approved", tests=("tests/confluence/test_confluence.py",)
    ),
    "F-11": Known(
        "approved after it had expired, not yet charged in-house",
        world="sandbox approved_after_expired",
        tests=("tests/confluence/test_confluence.py",),
    ),
    "F-12": Known(
        "approved after it had expired, and charged in-house",
        world="sandbox approved_after_expired",
        tests=("tests/night/test_corrections.py",),
    ),
    "F-13": Known(
        "a byte order mark, UTF-16, code page 1252, mixed encodings, NUL bytes",
        world="sandbox byte_order_mark, utf16_file, cp1252_file, mixed_encodings, nul_bytes",
    ),
    "F-14": Known("every kind of line end, and none at the end", world="sandbox crlf_lines, mixed_line_ends, no_last_newline"),
    "F-15": Known(
        "columns added, renamed or in another order; CSV for JSON",
        world="sandbox added_columns, renamed_columns, reordered_columns, csv_file",
    ),
    "F-16": Known(
        "a file of no bytes, with no rows, a folder or a link instead",
        world="sandbox empty_file, no_rows, folder_instead_of_file, link_instead_of_file",
    ),
    "F-17": Known(
        "names that want to be paths, options or each other",
        world="sandbox hostile_names",
        tests=("tests/openssh/test_steps.py",),
    ),
    "F-18": Known("a bomb: gzip, depth, digits, or two gigabytes", world="sandbox deep_json_file, huge_number, gzip_bomb_file"),
    "F-19": Known(
        "the file is refused as a whole, or one row of it", world="sandbox refuse_file, refuse_row; row 'token refused'"
    ),
    "F-20": Known("an answer for another merchant id", world="sandbox other_mid"),
}
