"""The store: links, intents, failures, audit rows, connections and runs, in any SQLAlchemy database.

It is what prevents duplicates, so it is never kept where caches are deleted.
"""
