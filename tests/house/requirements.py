"""Which test holds which requirement: the 25 rules for commands, what commands print and write, and security (S1 to S32).

A requirement that cannot be tested yet says in a sentence what is missing.
"""

RULES: dict[str, str] = {
    "1 stdout is the answer, stderr the talk": """
        commands/test_command_line::test_json_is_alone_on_stdout
        commands/test_json_contract::test_every_command_keeps_to_its_schema
        commands/test_json_contract::test_every_command_keeps_to_the_schema_of_errors""",
    "2 --json is a contract": """
        commands/test_json_contract::test_every_schema_that_is_printed_has_its_file
        commands/test_json_contract::test_a_schema_is_well_made
        commands/test_json_contract::test_an_error_names_the_environment
        commands/test_json_contract::test_the_schemas_are_shipped
        commands/test_json_contract::test_help_is_an_object_too
        commands/test_json_contract::test_what_every_run_says_is_required""",
    "3 each stream decides for itself": """
        commands/test_streams::test_each_stream_decides_for_itself
        commands/test_command_line::test_under_cron_there_is_no_ornament""",
    "4 the order of colour rules": """
        commands/test_command_line::test_colour
        commands/test_streams::test_a_dumb_terminal_gets_plain_words
        commands/test_streams::test_colour_says_nothing_of_its_own""",
    "5 progress never hides an error": """
        commands/test_streams::test_trouble_goes_above_the_line_at_once
        commands/test_streams::test_the_second_ctrl_c_stops_now""",
    "6 a heartbeat under cron": """
        commands/test_streams::test_a_heartbeat_comes_after_a_minute_and_then_seldom
        night/test_heartbeat::test_who_waits_for_acknowledgements_beats_too
        night/test_heartbeat::test_who_waits_shortly_says_nothing
        night/test_heartbeat::test_a_long_upload_beats
        night/test_heartbeat::test_a_large_file_beats_while_it_goes_and_while_it_comes
        night/test_heartbeat::test_no_stage_is_mute""",
    "7 one closing line": """
        night/test_commands::test_the_summary_and_the_code
        commands/test_acting::test_the_first_line_says_where_it_acts
        commands/test_streams::test_a_terminal_shows_the_same_facts""",
    "8 --quiet silences a clean run only": """
        commands/test_streams::test_quiet_silences_only_what_is_clean
        commands/test_streams::test_what_quiet_holds_back_is_told_whole
        commands/test_streams::test_no_variable_defeats_an_option""",
    "9 singular, plural, thousands": """
        commands/test_wording::test_every_number_agrees_with_its_noun
        night/test_singular::test_one_order_is_one_order
        schemas/test_counted::test_a_noun_agrees_with_its_number""",
    "10 an error has four parts": "commands/test_wording::test_an_error_has_four_parts",
    "11 every error has a code, every command named runs": """
        commands/test_looking::test_explain_knows_every_code
        commands/test_looking::test_no_two_errors_share_a_code
        commands/test_wording::test_every_command_that_is_named_runs
        house/test_readme::test_messages_name_only_commands_that_exist""",
    "12 the same kind of problem is one line": """
        commands/test_wording::test_many_problems_of_a_kind_are_few_lines
        commands/test_wording::test_the_first_three_ids_are_named
        commands/test_audit::test_many_things_of_one_kind_are_told_shortly""",
    "13 no traceback to people": """
        commands/test_command_line::test_an_internal_error_of_a_run_is_a_sentence_and_a_trace
        commands/test_command_line::test_an_internal_error_outside_a_run_is_a_sentence_and_a_trace
        commands/test_streams::test_verbose_shows_the_trace""",
    "14 data is never markup": """
        commands/test_streams::test_trouble_is_markup_of_nobody
        commands/test_wording::test_text_from_outside_forges_nothing""",
    "15 typos get the nearest name": """
        commands/test_command_line::test_a_wrong_command_line_ends_with_2
        commands/test_completion::test_the_nearest_word_is_proposed
        commands/test_completion::test_the_nearest_decision_is_proposed
        commands/test_completion::test_the_nearest_switch_is_proposed
        settings/test_refusals::test_unfit_settings_are_one_sentence_and_nothing_happens""",
    "16 the first line says where it acts": """
        commands/test_acting::test_the_first_line_says_where_it_acts
        commands/test_acting::test_production_is_spelled_out
        commands/test_acting::test_the_effect_is_shown_before_the_word_is_asked_for
        commands/test_acting::test_every_command_is_of_one_kind
        commands/test_acting::test_who_looks_changes_nothing
        commands/test_acting::test_a_view_is_made_where_it_says""",
    "17 by-hand changes ask for the word and a reason": """
        commands/test_acting::test_what_is_done_by_hand_has_its_options
        commands/test_acting::test_without_a_terminal_nobody_is_waited_for
        commands/test_by_hand::test_only_the_whole_word_confirms
        night/test_confirm::test_the_total_must_be_typed_as_it_is_shown
        night/test_confirm::test_a_person_at_a_terminal_is_asked
        commands/test_acting::test_without_a_reason_nothing_is_done
        night/test_switch_commands::test_mit_off_in_production_wants_the_merchant_id""",
    "18 a dry run is marked and writes nothing": """
        commands/test_acting::test_a_dry_run_is_marked_and_changes_nothing
        night/test_commands::test_a_plan_agrees_with_the_night""",
    "19 the next command is said": "commands/test_acting::test_a_state_change_says_what_to_run_next",
    "20 secrets never in flags or output": """
        commands/test_canaries::test_no_option_takes_a_secret
        commands/test_canaries::test_no_secret_is_left
        webhooks/test_serve_process::test_the_address_to_register_is_all_that_is_printed""",
    "21 exit codes are a page": """
        commands/test_command_line::test_help_exit_codes_is_the_whole_page
        house/test_readme::test_the_exit_codes_are_those_of_the_program
        table/test_exit_codes::test_every_error_ends_a_run_with_its_own_code""",
    "22 Ctrl-C once and twice": """
        commands/test_streams::test_the_first_signal_finishes_the_step
        commands/test_streams::test_the_second_ctrl_c_stops_now
        house/test_startup::test_the_answer_to_a_signal_waits_for_nothing
        house/test_startup::test_every_job_listens_before_it_opens_anything
        night/test_commands::test_a_signal_ends_the_run_and_a_rerun_completes_it""",
    "23 fast start": """
        house/test_startup::test_the_entry_loads_nothing_heavy
        house/test_startup::test_help_costs_under_a_second""",
    "24 init asks only on a terminal": """
        doctor/test_init::test_a_script_comes_to_a_first_night
        doctor/test_init::test_everything_that_is_missing_is_told_at_once
        doctor/test_init::test_nothing_is_ever_overwritten
        doctor/test_init::test_a_person_is_asked""",
    "25 completion, help and docs from one source": """
        commands/test_completion::test_words_are_completed
        commands/test_completion::test_open_items_are_completed
        commands/test_completion::test_switches_and_sites_are_completed
        commands/test_completion::test_sections_of_the_documents_are_completed
        house/test_readme::test_every_command_has_an_example
        house/test_readme::test_every_command_line_runs""",
}

PAGES: dict[str, str] = {
    "2 doctor: its groups, marks and codes": """
        doctor/test_rounds::test_a_fit_merchant_has_nothing_to_mend
        doctor/test_looks::test_another_host_key_is_one_line_and_30""",
    "3 the page of an order": """
        night/test_explain::test_the_whole_story_of_an_order
        commands/test_looking::test_explain_tells_the_story_of_an_order
        commands/test_looking::test_explain_offers_the_nearest_ids
        commands/test_completion::test_the_nearest_word_is_proposed_beside_the_nearest_ids""",
    "3 the page of a word": """
        commands/test_looking::test_explain_knows_every_reason_state_and_item
        commands/test_completion::test_network_rules_have_their_date_and_source""",
    "4 exit codes and nothing else": """
        commands/test_command_line::test_help_exit_codes_is_the_whole_page
        commands/test_outlets::test_a_closed_pipe_changes_no_exit_code
        commands/test_outlets::test_a_full_device_is_told_and_has_a_code
        table/test_exit_codes::test_every_combination_gives_its_code""",
    "5 the nightly under cron": """
        commands/test_command_line::test_under_cron_there_is_no_ornament
        night/test_commands::test_the_summary_and_the_code""",
    "5 the nightly on a terminal": "commands/test_streams::test_a_terminal_shows_the_same_facts",
    "6 what makes a CSV good in Excel": """
        audit/test_csv_text::test_every_text_survives
        audit/test_csv_text::test_no_cell_begins_a_formula
        audit/test_csv_text::test_the_guard_is_one_apostrophe
        audit/test_csv_text::test_ids_are_byte_true
        audit/test_csv_text::test_negative_numbers_stay_numbers
        audit/test_csv_text::test_texts_are_quoted_and_unknown_is_empty
        audit/test_bookkeeping::test_writing_twice_changes_no_byte_and_no_file
        commands/test_spreadsheet::test_it_opens_the_csv_files
        commands/test_workbook::test_every_cell_is_there_with_its_type
        commands/test_workbook::test_files_with_a_decimal_comma_give_the_same_numbers""",
    "7 the audit files, column by column": """
        audit/test_columns::test_every_file_is_listed
        audit/test_columns::test_the_columns_are_those_that_were_promised
        audit/test_columns::test_the_summary_is_as_it_was_promised
        audit/test_columns::test_what_is_written_bears_these_headers
        audit/test_csv_text::test_row_files_begin_alike_and_end_with_the_check
        audit/test_csv_text::test_the_check_is_over_the_texts_before_guarding""",
    "8 metrics": """
        metrics/test_metrics::test_the_list_is_kept
        metrics/test_metrics::test_every_metric_is_shown_as_it_is_listed""",
    "8 definitions beside every rate": "report/test_page::test_definitions_stand_beside_rates_and_at_the_end",
    "9 the report, section by section": """
        report/test_page::test_the_page_needs_nothing_else
        report/test_page::test_the_same_ledger_gives_the_same_bytes
        report/test_page::test_each_picture_says_in_words_what_it_shows
        report/test_section_pictures::test_each_section_has_its_own_pictures
        report/test_section_pictures::test_each_section_has_its_tables
        report/test_page::test_a_browser_shows_all_sections
        report/test_figures::test_figures_are_those_of_the_csv_files""",
}

SECURITY: dict[str, str] = {
    "S1": """
        commands/test_canaries::test_no_card_number_is_left
        fuzz/test_fuzz::test_a_planted_card_number_is_seen
        pure/test_card_numbers::test_disguises_do_not_help""",
    "S2": """
        commands/test_canaries::test_the_ledger_has_no_column_for_what_may_not_be_kept
        cards/test_no_trace::test_no_trace_is_left""",
    "S3": """
        pure/test_mask::test_at_most_six_and_four_digits_are_shown
        pure/test_mask::test_a_refused_row_does_not_show_a_number_in_two_pieces
        pure/test_mask::test_nobody_else_shows_a_card
        night/test_event_log::test_a_field_that_is_not_allowed_is_refused""",
    "S4": """
        commands/test_canaries::test_no_secret_is_left
        commands/test_canaries::test_nothing_personal_is_left
        night/test_event_log::test_a_field_that_is_not_allowed_is_refused
        commands/test_command_line::test_an_internal_error_of_a_run_is_a_sentence_and_a_trace""",
    "S5": """
        commands/test_canaries::test_payment_tokens_stay_where_they_are_needed
        commands/test_canaries::test_nothing_personal_is_left
        commands/test_looking::test_everything_that_is_kept_is_private
        webhooks/test_forgetting::test_applied_webhooks_leave_after_their_time
        night/test_forgetting_sent::test_copies_and_calls_go_as_well""",
    "S6": """
        commands/test_canaries::test_no_option_takes_a_secret
        commands/test_canaries::test_the_list_of_processes_shows_no_secret
        settings/test_sources::test_no_secret_is_shown_with_the_settings
        settings/test_sources::test_no_secret_is_repeated_by_a_refusal""",
    "S7": """
        settings/test_sources::test_a_secret_that_others_can_read_is_not_even_read
        ledger/test_file::test_a_ledger_that_others_can_read_is_refused
        ledger/test_file::test_the_files_are_private
        commands/test_looking::test_everything_that_is_kept_is_private""",
    "S8": """
        house/test_words::test_nobody_switches_off_a_check_of_the_other_end
        house/test_words::test_an_unsafe_word_is_found
        openssh/test_night::test_another_host_key_stops_the_night_before_anything_leaves""",
    "S9": """
        openssh/test_steps::test_a_server_with_only_sha1_is_refused
        openssh/test_steps::test_an_rsa_key_with_sha2_is_accepted
        doctor/test_looks::test_a_weak_key_is_one_line""",
    "S10": """
        house/test_dependencies::test_security_floors_hold
        openssh/test_steps::test_a_server_with_only_sha1_is_refused""",
    "S11": """
        openssh/test_steps::test_only_plain_names_are_fetched
        night/test_outbound::test_hostile_names_are_set_aside_and_stop_nothing
        night/test_event_log::test_a_link_is_not_followed""",
    "S12": """
        pure/test_strict_json::test_the_size_is_bounded_before_anything_is_read
        pure/test_strict_json::test_the_depth_is_bounded
        pure/test_strict_json::test_what_is_not_strict_json_is_refused
        fuzz/test_limits::test_the_biggest_inputs_stay_within_their_limits""",
    "S13": "house/test_requirements::test_the_security_rules_of_the_linter_are_on",
    "S14": """
        house/test_requirements::test_sql_takes_parameters_only
        commands/test_canaries::test_hostile_ids_are_only_ids
        night/test_hostile_rows::test_hostile_rows_are_only_rows
        night/test_awkward_text::test_awkward_ids_and_texts_travel_byte_for_byte""",
    "S15": """
        postgres/test_rights::test_a_night_works_with_the_least_rights
        postgres/test_rights::test_everything_else_is_refused""",
    "S16": """
        audit/test_csv_text::test_no_cell_begins_a_formula
        audit/test_csv_text::test_every_text_survives
        commands/test_spreadsheet::test_opened_carelessly_it_still_has_no_formula
        commands/test_workbook::test_there_is_no_formula_and_no_link""",
    "S17": """
        audit/test_csv_text::test_ids_are_byte_true
        audit/test_csv_text::test_row_files_begin_alike_and_end_with_the_check
        commands/test_spreadsheet::test_it_opens_the_csv_files
        commands/test_spreadsheet::test_it_opens_the_workbook""",
    "S18": """
        house/test_words::test_nobody_switches_off_a_check_of_the_other_end
        night/test_tls::test_a_certificate_that_cannot_be_believed_ends_the_call""",
    "S19": """
        commands/test_canaries::test_no_bearer_is_left
        night/test_http_trouble::test_one_401_is_answered_with_one_new_token""",
    "S20": """
        webhooks/test_verifying::test_what_is_signed_otherwise_is_refused
        webhooks/test_verifying::test_a_date_may_be_five_minutes_off
        webhooks/test_serve::test_a_replay_changes_nothing
        webhooks/test_serve::test_the_largest_body_is_taken_and_no_larger_one""",
    "S21": """
        settings/test_identity_lock::test_another_identity_is_refused
        webhooks/test_serve_process::test_a_ledger_of_another_environment_is_refused""",
    "S22": """
        ledger/test_promises::test_history_cannot_be_changed
        tampering/test_verification::test_no_random_edit_goes_unnoticed
        tampering/test_verification::test_a_chain_without_its_end_is_found""",
    "S23": """
        commands/test_by_hand::test_a_person_is_known_by_user_and_host
        ledger/test_promises::test_every_chain_is_whole""",
    "S24": """
        night/test_event_log::test_old_files_go_and_nothing_else
        webhooks/test_forgetting::test_many_go_in_pages
        night/test_forgetting_sent::test_what_was_sent_goes_after_its_time
        night/test_forgetting_sent::test_what_happened_stays_and_can_be_verified
        night/test_forgetting_sent::test_who_dies_before_the_file_is_gone_leaves_it_to_the_next_night
        night/test_forgetting_answers::test_answers_go_after_their_time
        night/test_forgetting_answers::test_what_happened_stays_as_it_was
        night/test_forgetting_answers::test_nothing_of_a_person_is_left_in_the_file
        night/test_forgetting_answers::test_dying_anywhere_leaves_whole_portions
        night/test_forgetting_answers::test_who_empties_what_no_night_emptied_is_found
        night/test_forgetting_answers::test_a_forged_event_makes_no_body_empty
        ledger/test_forgotten_answers::test_what_may_be_needed_stays
        ledger/test_forgotten_answers::test_the_database_lets_evidence_be_emptied_and_nothing_else
        postgres/test_forgetting::test_answers_go_after_their_time""",
    "S25": """
        commands/test_wording::test_text_from_outside_forges_nothing
        night/test_event_log::test_awkward_values_make_one_line_each""",
    "S26": """
        house/test_dependencies::test_the_lock_has_a_hash_for_everything
        house/test_dependencies::test_the_base_install_is_small
        house/test_sbom::test_everything_that_is_shipped_is_on_the_bill
        house/test_sbom::test_the_bill_says_who_needs_whom
        house/test_sbom::test_the_build_makes_it""",
    "S27": """
        house/test_requirements::test_the_security_rules_of_the_linter_are_on
        house/test_readme::test_ci_runs_the_readmes_tests""",
    "S28": """
        commands/test_canaries::test_no_core_is_dumped
        cards/test_no_trace::test_the_memory_leaves_no_picture
        cards/test_no_trace::test_an_error_of_our_own_shows_nothing""",
    "S29": "house/test_requirements::test_no_file_has_a_name_that_can_be_guessed",
    "S30": """
        schedule/test_examples::test_the_unit_is_tight
        schedule/test_examples::test_all_of_them_mean_the_same_places""",
    "S31": """
        night/test_older_ledger::test_a_restored_copy_sends_nothing_and_touches_nothing
        night/test_older_ledger::test_the_newest_copy_goes_on
        night/test_backup::test_a_copy_is_made_beside_a_run_and_is_whole_and_private
        night/test_backup::test_the_newest_copy_goes_on_where_the_ledger_was
        postgres/test_backup::test_a_copy_beside_a_run_is_known_to_be_older
        postgres/test_backup::test_the_newest_copy_goes_on_where_the_ledger_was""",
    "S32": """
        doctor/test_rounds::test_a_fit_merchant_has_nothing_to_mend
        doctor/test_looks::test_another_host_key_is_one_line_and_30
        doctor/test_looks::test_an_old_library_is_one_line""",
}
