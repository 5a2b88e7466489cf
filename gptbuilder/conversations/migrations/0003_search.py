"""What search looks at: the words of titles and messages, kept by the database beside the text.

`search_words` gives text as words between spaces: lower case, without marks, and Chinese, Japanese and Korean as
every pair of neighbours and the last letter alone, because nothing in PostgreSQL knows where their words end. A
question goes through the same function (searching.py). The columns are no fields of the models: an answer would
bring its words along with every fetch. Bodies are bound when they are made (RETURN), so that a restored dump needs no
search path.
"""

from django.db import migrations

# Hiragana to katakana, ideographs, Hangul. Marks: ASCII, Latin-1, typographic, ideographic and full-width ones.
CJK = r"\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
MARKS = r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7\u2000-\u206f\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
# A vector may hold 1 MB: more words than a message has letters, unless it was made to break this.
LETTERS_MOST = 60_000

WORDS = rf"""
CREATE FUNCTION search_words(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
  regexp_replace(
    regexp_replace(lower(left(said, {LETTERS_MOST})), '[{MARKS}]+', ' ', 'g'),
    '[{CJK}]{{1,2}}', ' \& ', 'g')
  || ' ' ||
  regexp_replace(
    regexp_replace(
      regexp_replace(left(said, {LETTERS_MOST}), '[^{CJK}]+', ' ', 'g'),
      '[{CJK}]([{CJK}]*)', '\1', 'g'),
    '[{CJK}]{{1,2}}', ' \& ', 'g')
"""
LEXEMES = """
CREATE FUNCTION search_lexemes(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
  to_tsvector('pg_catalog.simple'::regconfig, search_words(said))
"""
# Each word as the beginning of one, all of them together. Null when there is nothing to look for.
QUERY = r"""
CREATE FUNCTION search_query(asked text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (
  SELECT to_tsquery('pg_catalog.simple'::regconfig, string_agg(quote_literal(word) || ':*', ' & '))
  FROM regexp_split_to_table(search_words(asked), '\s+') AS word WHERE word <> ''
)
"""
COLUMN = "ALTER TABLE {table} ADD COLUMN lexemes tsvector GENERATED ALWAYS AS (search_lexemes({text})) STORED"


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_keeping")]

    operations = [
        migrations.RunSQL(WORDS, "DROP FUNCTION search_words"),
        migrations.RunSQL(LEXEMES, "DROP FUNCTION search_lexemes"),
        migrations.RunSQL(QUERY, "DROP FUNCTION search_query"),
        migrations.RunSQL(
            COLUMN.format(table="conversations_message", text="text"),
            "ALTER TABLE conversations_message DROP COLUMN lexemes",
        ),
        migrations.RunSQL(
            COLUMN.format(table="conversations_thread", text="title"),
            "ALTER TABLE conversations_thread DROP COLUMN lexemes",
        ),
        migrations.RunSQL(
            "CREATE INDEX messages_by_lexeme ON conversations_message USING gin (lexemes)",
            "DROP INDEX messages_by_lexeme",
        ),
    ]
