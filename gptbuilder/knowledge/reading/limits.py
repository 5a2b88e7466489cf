"""How much a file may hold. What a person would send is far below; a bomb is far above."""

from __future__ import annotations

from gptbuilder.knowledge.reading.document import Unreadable

MEGABYTE = 2**20

# The text of one file, in characters: about four million tokens, twice what one file of the product may hold.
TEXT_CHARACTERS = 16 * MEGABYTE
# A file that is text itself. UTF-32 is four bytes a character.
TEXT_BYTES = 4 * TEXT_CHARACTERS
PAGES = 20_000
# Excel's own limit is 16,384. Beyond, it is no table for reading.
COLUMNS = 16_384
CELLS = 8_000_000

ARCHIVE_MEMBERS = 2_000
ARCHIVE_BYTES = 200 * MEGABYTE
ARCHIVE_RATIO = 100
# A sheet of equal rows packs better than 1:100 and harms nobody while it is small.
ARCHIVE_BYTES_WITHOUT_RATIO = 20 * MEGABYTE


class Budget:
    """Counts the characters of a file's text and ends the reading when there are too many."""

    def __init__(self, characters: int = TEXT_CHARACTERS):
        self.left = characters

    def spend(self, text: str) -> str:
        self.left -= len(text)
        if self.left < 0:
            raise Unreadable("too_large", f"more than {TEXT_CHARACTERS} characters of text")
        return text
