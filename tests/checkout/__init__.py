"""The reference checkout: its flows walked in a headless browser, and its steps by plain calls."""
