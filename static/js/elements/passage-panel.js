/** The passage that an answer stands on, beside the conversation; on a phone a dialog over it. A mark in the answer and a
 *  source under it open the same. */
class PassagePanel extends HTMLElement {
  connectedCallback() {
    this.room = this.closest("chat-thread");
    this.dialog = this.querySelector("dialog");
    this.shown = this.querySelector(".shown");
    this.room.addEventListener("click", this.clicked);
    this.dialog.addEventListener("close", this.closed);
    this.addEventListener("keydown", this.key);
  }

  disconnectedCallback() {
    this.room.removeEventListener("click", this.clicked);
  }

  clicked = (event) => {
    if (event.target.closest("[data-closes]") && this.dialog.contains(event.target)) return this.dialog.close();
    if (event.target === this.dialog) return this.dialog.close();
    const opener = event.target.closest("a.cite, [data-opens-passage]");
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.open(opener.dataset.opensPassage ?? opener.getAttribute("href"), opener);
  };

  async open(url, opener) {
    this.opener = opener;
    for (const other of this.room.querySelectorAll(".cite[aria-current], .source[aria-current]")) other.removeAttribute("aria-current");
    opener.setAttribute("aria-current", "true");
    this.shown.replaceChildren();
    await window.htmx.ajax("GET", url, { source: this.shown, target: this.shown, swap: "innerHTML" }).catch(() => null);
    if (!this.shown.children.length) return this.complain();
    if (!this.dialog.open) matchMedia("(max-width: 60rem)").matches ? this.dialog.showModal() : this.dialog.show();
    this.shown.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }

  key = (event) => {
    // A panel that is no modal does not hear Escape by itself; the answer that is being written must not.
    if (event.key !== "Escape" || !this.dialog.open) return;
    event.stopPropagation();
    this.dialog.close();
  };

  closed = () => {
    this.opener?.removeAttribute("aria-current");
    this.opener?.focus();
    this.shown.replaceChildren();
  };

  complain() {
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: this.shown.dataset.failed, kind: "negative" } }));
  }
}

customElements.define("passage-panel", PassagePanel);
