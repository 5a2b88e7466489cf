"""Files that a GPT can search: stored once, read in a cage, cut into passages, found by words and by meaning.

Offers `models`, `indexing.request / read`, `search.search`, `erasing.erase`. It does not know who holds a file: GPTs
and threads keep the ids of `KnowledgeFile`s, and searching takes those ids.
"""
