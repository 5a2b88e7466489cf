"""HTML and EPUB."""

from __future__ import annotations

from gptbuilder.knowledge.reading.hypertext import to_markdown
from tests.knowledge.reading import samples
from tests.knowledge.reading.samples import places, read, texts


def test_the_main_text_stays_and_scripts_and_menus_go():
    text = to_markdown(
        "<html><head><style>p{}</style></head><body><nav>Menu</nav><h1>Ducks</h1><p>They <b>swim</b>.</p>"
        "<script>alert(1)</script><form><label>Name</label></form></body></html>"
    )

    assert text.split() == ["#", "Ducks", "They", "**swim**.", "Name"]


def test_a_table_stays_a_table():
    text = to_markdown("<table><tr><th>Year</th><th>Ducks</th></tr><tr><td>2019</td><td>1<br>2</td></tr></table>")

    assert text.strip() == "| Year | Ducks |\n| --- | --- |\n| 2019 | 1 2 |"


def test_pictures_become_their_description_and_links_keep_what_leads_somewhere():
    text = to_markdown(
        '<p><img src="data:image/png;base64,AAAA" alt="A duck"> <a href="/wiki/x" title="y">here</a> '
        '<a href="https://example.org/a_(b)">there</a> <a href="#z"></a></p>'
    )

    assert text.strip() == "A duck here [there](https://example.org/a_(b))"


def test_the_charset_a_page_declares_is_believed():
    page = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1251"></head>Да</html>'

    assert "Да" in texts(read(page.encode("cp1251"), "a.html"))


def test_html_is_cut_at_headings():
    assert places(read(b"<h1>A</h1>one<h2>B</h2>two", "a.html")) == [("heading", None, "A"), ("heading", None, "A › B")]


def test_a_book_is_read_in_the_order_of_its_spine():
    answer = read(samples.epub({"z": "<h1>One</h1>first", "a": "<h1>Two</h1>second"}), "a.epub")

    assert places(answer) == [("part", None, ""), ("heading", None, "One"), ("heading", None, "Two")]
    assert answer["sections"][0][3] == "**Title:** A book\n**Authors:** Ada"


def test_a_book_under_copy_protection_is_refused_and_scrambled_fonts_are_not():
    lock = '<encryption><EncryptionMethod Algorithm="{}"/></encryption>'
    protected = {"META-INF/encryption.xml": lock.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc")}
    scrambled = {"META-INF/encryption.xml": lock.format("http://www.idpf.org/2008/embedding")}

    assert read(samples.epub({"a": "words"}, **protected), "a.epub")["outcome"] == "unsupported"
    assert read(samples.epub({"a": "words"}, **scrambled), "a.epub")["outcome"] == "ok"
