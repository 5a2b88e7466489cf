/** Search: the arrow keys walk from the field through what was found and back, Enter opens the first. */
class SearchChats extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", this.typed);
  }

  disconnectedCallback() {
    this.removeEventListener("keydown", this.typed);
  }

  typed = (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const field = this.querySelector("input");
    const links = [...this.querySelectorAll("#found a")];
    if (event.key === "Enter" && event.target === field) {
      // What is shown may still be the answer to a shorter question: then the page of search answers.
      const shown = this.querySelector("#found").dataset.question;
      if (!links.length || shown !== field.value.trim()) return;
      event.preventDefault();
      links[0].click();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !links.length) return;
    event.preventDefault();
    const at = links.indexOf(document.activeElement) + step;
    (at < 0 ? (event.target === field ? links.at(-1) : field) : (links[at] ?? field)).focus();
  };
}

customElements.define("search-chats", SearchChats);
