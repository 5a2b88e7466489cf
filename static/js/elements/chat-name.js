/** The name of a chat where it can be changed: F2, or a button with `data-rename`, turns `data-place` into a field.
 *  Enter and leaving the field save, Escape does not. In the bar (`data-leaves`) it also leaves a chat that was put away. */
class ChatName extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.clicked);
    this.addEventListener("keydown", this.typed);
    if (this.dataset.leaves !== undefined) document.addEventListener("chat-gone", this.leave);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.clicked);
    this.removeEventListener("keydown", this.typed);
    document.removeEventListener("chat-gone", this.leave);
  }

  clicked = (event) => {
    const button = event.target.closest("[data-rename]");
    // The menu gives the focus back while it closes: the field takes it afterwards.
    if (button) requestAnimationFrame(() => this.edit(button.dataset.rename));
  };

  typed = (event) => {
    if (event.key !== "F2" || !this.dataset.url || this.field) return;
    event.preventDefault();
    this.edit(this.dataset.url);
  };

  edit(url) {
    if (this.field) return;
    this.back = document.activeElement;
    const place = this.querySelector("[data-place]");
    const shown = this.querySelector("[data-title-of]");
    const field = (this.field = document.createElement("input"));
    field.className = "input small";
    field.value = this.before = shown.textContent.trim();
    field.maxLength = 120;
    field.autocomplete = "off";
    field.setAttribute("aria-label", this.querySelector("[data-rename]")?.textContent.replace("F2", "").trim() ?? "");
    field.addEventListener("keydown", this.decide);
    field.addEventListener("blur", () => this.end(url, true));
    place.hidden = true;
    place.after(field);
    field.select();
    field.focus();
    this.end = (address, keep) => {
      this.end = () => {};
      const title = field.value.trim();
      field.remove();
      this.field = null;
      place.hidden = false;
      if (keep && title && title !== this.before) this.save(address, title, shown.dataset.titleOf);
    };
    this.url = url;
  }

  decide = (event) => {
    event.stopPropagation();
    if (event.isComposing || event.keyCode === 229 || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    this.end(this.url, event.key === "Enter");
    this.back?.focus();
  };

  end() {}

  async save(url, title, thread) {
    this.show(thread, title);
    const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
    const response = await fetch(url, { method: "POST", body: new URLSearchParams({ title }), headers }).catch(() => null);
    if (response?.ok) return this.show(thread, await response.text());
    this.show(thread, this.before);
    const stack = document.querySelector("toast-stack");
    const said = response?.headers.get("X-Problem");
    const text = said ? decodeURIComponent(said) : response ? stack?.dataset.failed : stack?.dataset.offline;
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, kind: "negative" } }));
  }

  /** Wherever the name of this chat stands, and in the window's title when the chat is open. */
  show(thread, title) {
    for (const place of document.querySelectorAll(`[data-title-of="${thread}"]`)) place.textContent = title;
    const open = document.querySelector(`chat-thread[data-thread="${thread}"]`);
    if (open?.dataset.page) document.title = `${title} · ${open.dataset.page}`;
  }

  leave = (event) => {
    const { url } = event.detail;
    window.htmx.ajax("GET", url, { source: document.body, target: "#main", select: "#main", swap: "outerHTML", replace: url });
  };
}

customElements.define("chat-name", ChatName);
