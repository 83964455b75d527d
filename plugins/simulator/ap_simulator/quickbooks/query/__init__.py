"""The query language: lexer, parser, checks, planner (QuickBooks manual 3.1 to 3.3)."""
