"""Files into text: one module for each family of formats, pure, without Django, run inside the cage.

Offers to others `entry.read`, which the cage calls by name, and the plain values of `document`.
Nothing here may be imported with the file of a stranger outside the cage; `knowledge.extraction` takes care of that.
"""
