/** A form that saves itself: the fields that changed, a moment after the last key, one request at a time.
 *  What could not be saved stays in the form, is said in the bar, and is tried again; leaving the page sends the rest. */
class AutoSave extends HTMLElement {
  static MOMENT = 700;
  static PAUSES = [2000, 4000, 8000, 15000, 30000];

  connectedCallback() {
    this.form = this.querySelector("form");
    this.waiting = new Set();
    this.moving = null;
    this.tries = 0;
    this.channel = new BroadcastChannel("drafts");
    this.channel.addEventListener("message", this.elsewhere);
    this.addEventListener("input", this.changed);
    this.addEventListener("submit", this.stay);
    this.addEventListener("htmx:afterRequest", this.answered);
    for (const kind of AutoSave.TROUBLE) this.addEventListener(kind, this.quiet);
    document.body.addEventListener("draft-restored", this.reload);
    document.addEventListener("htmx:confirm", this.first);
    addEventListener("online", this.save);
    addEventListener("pagehide", this.leave);
    addEventListener("beforeunload", this.warn);
    for (const field of this.form.querySelectorAll("[maxlength]")) this.count(field);
    addEventListener("hashchange", this.arrive);
    this.arrive();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.channel.close();
    this.removeEventListener("input", this.changed);
    this.removeEventListener("submit", this.stay);
    this.removeEventListener("htmx:afterRequest", this.answered);
    for (const kind of AutoSave.TROUBLE) this.removeEventListener(kind, this.quiet);
    document.body.removeEventListener("draft-restored", this.reload);
    document.removeEventListener("htmx:confirm", this.first);
    removeEventListener("online", this.save);
    removeEventListener("pagehide", this.leave);
    removeEventListener("beforeunload", this.warn);
    removeEventListener("hashchange", this.arrive);
  }

  static TROUBLE = ["htmx:sendError", "htmx:timeout", "htmx:responseError"];

  changed = (event) => {
    if (!event.target.name) return;
    this.waiting.add(event.target.name);
    this.count(event.target);
    clearTimeout(this.timer);
    this.timer = setTimeout(this.save, AutoSave.MOMENT);
  };

  stay = (event) => {
    event.preventDefault();
    this.save();
  };

  /** Everything that was typed is on the server when this is done, or it failed. */
  save = async () => {
    clearTimeout(this.timer);
    while (this.moving) await this.moving;
    if (!this.waiting.size) return;
    const names = [...this.waiting];
    this.waiting.clear();
    this.sent = names;
    this.say("saving");
    const values = Object.fromEntries(names.map((name) => [name, this.values(name)]));
    this.moving = window.htmx.ajax("POST", this.dataset.url, { source: this, target: "#bar-draft", swap: "outerHTML", values });
    await this.moving.catch(() => {});
    this.moving = null;
  };

  values(name) {
    const values = new FormData(this.form).getAll(name);
    return values.length > 1 ? values : values[0];
  }

  answered = (event) => {
    if (event.detail.elt !== this || event.detail.requestConfig.verb !== "post") return;
    const { status } = event.detail.xhr;
    if (status === 200 || status === 422) {
      this.tries = 0;
      this.channel.postMessage(this.dataset.gpt);
      for (const name of this.sent) this.mark(name);
      return;
    }
    for (const name of this.sent) this.waiting.add(name);
    const lasting = status >= 400 && status < 500 && status !== 429 && status !== 408;
    this.say(lasting ? "refused" : "failed");
    if (lasting) return;
    const pause = AutoSave.PAUSES[Math.min(this.tries, AutoSave.PAUSES.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(this.save, pause);
  };

  quiet = (event) => {
    if (event.detail.elt === this) event.stopPropagation();
  };

  mark(name) {
    const problem = document.getElementById(`${name}-problem`)?.textContent.trim();
    for (const field of this.form.querySelectorAll(`[name="${name}"]`)) {
      if (problem) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }

  say(kind) {
    const saved = document.getElementById("saved");
    if (saved) saved.textContent = saved.dataset[kind];
    saved?.classList.toggle("negative", kind !== "saving");
  }

  count(field) {
    const place = this.form.querySelector(`[data-counts="${field.name}"]`);
    const numbers = new Intl.NumberFormat(document.documentElement.lang);
    if (place) place.textContent = `${numbers.format([...field.value].length)} / ${numbers.format(field.maxLength)}`;
  }

  /** An address that names a field leads into it. */
  arrive = () => {
    const field = document.getElementById(location.hash.slice(1));
    if (field && document.getElementById("configure")?.contains(field)) field.focus();
  };

  /** Publishing and duplicating take what is typed with them. */
  first = (event) => {
    if (!event.target.closest?.("#publish-button, #publication, #publish-checks, #more") || (!this.waiting.size && !this.moving)) return;
    event.preventDefault();
    this.save().then(() => {
      if (!this.waiting.size) event.detail.issueRequest(true);
    });
  };

  leave = () => {
    if (!this.waiting.size) return;
    const body = new FormData();
    for (const name of this.waiting) for (const value of new FormData(this.form).getAll(name)) body.append(name, value);
    const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
    fetch(this.dataset.url, { method: "POST", body, headers, keepalive: true });
  };

  warn = (event) => {
    if (this.waiting.size && this.tries) event.preventDefault();
  };

  // The draft changed by a restored version, by another tab, or by the builder at work in another tab.

  elsewhere = (event) => {
    if (event.data !== this.dataset.gpt) return;
    document.body.dispatchEvent(new CustomEvent("draft-changed", { bubbles: true }));
    if (!this.contains(document.activeElement) || document.hidden) this.reload();
  };

  reload = () => {
    if (this.waiting.size || this.moving) return;
    window.htmx.ajax("GET", this.dataset.form, { source: document.body, target: "#configure", swap: "outerHTML" });
  };
}

customElements.define("auto-save", AutoSave);
