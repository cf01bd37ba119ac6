"""RFC 6455 §4–§8 as tables: each row is a case, and names the section that it proves. `scripts.py` says what a row can say."""
