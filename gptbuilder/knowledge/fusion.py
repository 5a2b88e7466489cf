"""Two rankings into one (pure).

Ranks alone say nothing of how sure a search is, so scores are joined. Words: the share of what a passage could score
that had each word of the question once, so a few common words weigh little and a whole name much. Meaning: where the
closeness lies between the farthest candidate's and the closest one's, for every model spreads its numbers differently.
docs/decisions/0042-hybrid-retrieval.md has the figures of this and of the other ways that were tried.
"""

from __future__ import annotations

from collections.abc import Mapping

MEANING = 0.45


def fused(
    lexical: Mapping[int, float], complete: float, dense: Mapping[int, float], candidates: Mapping[int, float]
) -> dict[int, float]:
    """The joined score of every passage in either; a score of 1 is the best there can be.

    `complete` is the BM25 of a passage that has every word once. `candidates` are those the dense search gave, which
    set the scale; `dense` has these and what is known of the others. Without candidates the words alone speak.
    """
    if not candidates:
        return {passage: score / complete for passage, score in lexical.items()} if complete else {}
    far, close = min(candidates.values()), max(candidates.values())
    scale = close - far or 1.0
    share = MEANING if lexical else 1.0
    return {
        passage: (1 - share) * (lexical.get(passage, 0.0) / complete if complete else 0.0)
        + share * max(0.0, (dense.get(passage, far) - far) / scale)
        for passage in lexical.keys() | dense.keys()
    }
