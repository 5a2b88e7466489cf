/** Where a message is written. Enter sends, Shift+Enter breaks the line, and an input method finishes its word first.
 *  While an answer is being made, what is sent waits in the queue. Unsent text survives a reload (in this tab); text that could not be sent stays where it is, and a sentence says so. */
class ComposerBox extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.querySelector("textarea");
    this.key = `unsent:${this.dataset.draft}`;
    this.addEventListener("keydown", this.typed);
    this.addEventListener("input", this.changed);
    this.addEventListener("submit", this.check, true);
    this.addEventListener("htmx:beforeOnLoad", this.answered);
    for (const kind of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) this.addEventListener(kind, this.unsent);
    if (!this.input.value) this.input.value = sessionStorage.getItem(this.key) ?? "";
    this.grow();
  }

  disconnectedCallback() {
    this.removeEventListener("keydown", this.typed);
    this.removeEventListener("input", this.changed);
    this.removeEventListener("submit", this.check, true);
    this.removeEventListener("htmx:beforeOnLoad", this.answered);
    for (const kind of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) this.removeEventListener(kind, this.unsent);
  }

  /** What holds images and files. */
  get trays() {
    return [...this.querySelectorAll("image-tray, file-chips")];
  }

  get trouble() {
    return this.closest("chat-thread")?.querySelector(".trouble");
  }

  focus() {
    this.input.focus();
  }

  fill(text) {
    this.input.value = text;
    this.changed();
    this.input.focus();
    this.input.setSelectionRange(text.length, text.length);
  }

  send(text) {
    this.input.value = text;
    this.changed();
    this.submit();
  }

  submit() {
    this.form.requestSubmit();
  }

  typed = (event) => {
    // 229: Safari ends a composition before it reports its Enter.
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.isComposing || event.keyCode === 229) return;
    if (event.target !== this.input) return;
    event.preventDefault();
    this.submit();
  };

  check = (event) => {
    const trays = this.trays;
    if ((this.input.value.trim() || trays.some((tray) => tray.count)) && !trays.some((tray) => tray.uploading)) {
      this.sent = this.input.value;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    this.input.focus();
  };

  changed = () => {
    if (this.input.value) sessionStorage.setItem(this.key, this.input.value);
    else sessionStorage.removeItem(this.key);
    this.grow();
  };

  grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.input.style.blockSize = "auto";
    this.input.style.blockSize = `${this.input.scrollHeight}px`;
  }

  answered = (event) => {
    if (event.detail.xhr.status >= 300) return;
    // What was typed while the message was on its way is the next message.
    this.input.value = this.input.value === this.sent ? "" : this.input.value;
    for (const tray of this.trays) tray.clear();
    this.trouble?.replaceChildren();
    this.changed();
    this.input.focus();
  };

  unsent = (event) => {
    event.stopPropagation();
    const note = this.querySelector("template").content.cloneNode(true);
    const problem = event.detail.xhr?.getResponseHeader?.("X-Problem");
    if (problem) note.querySelector("p").textContent = decodeURIComponent(problem);
    this.trouble?.replaceChildren(note);
    this.input.focus();
  };
}

customElements.define("composer-box", ComposerBox);
