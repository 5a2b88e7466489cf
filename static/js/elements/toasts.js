/** Short news: the event "toast" with { text, kind } (from a script, or from the server by HX-Trigger),
 *  and one sentence for every htmx request that went wrong. Six seconds, longer under the pointer or the focus.
 *  With `undo`, { method, url, target }, a button takes back what happened and renews that part of the page: ten seconds.
 *  Ctrl+Z presses it, while nothing is being written. */
const SECONDS = 6;
const UNDO_SECONDS = 10;
const WORDS = { 401: "signedOut", 403: "signedOut", 404: "gone", 410: "gone", 413: "tooLarge", 429: "tooMany" };

class ToastStack extends HTMLElement {
  connectedCallback() {
    document.addEventListener("toast", this.hear);
    document.addEventListener("htmx:sendError", this.offline);
    document.addEventListener("htmx:timeout", this.offline);
    document.addEventListener("htmx:responseError", this.refused);
    document.addEventListener("keydown", this.typed);
    for (const toast of this.querySelectorAll(":scope > .toast")) this.keep(toast);
  }

  disconnectedCallback() {
    document.removeEventListener("toast", this.hear);
    document.removeEventListener("htmx:sendError", this.offline);
    document.removeEventListener("htmx:timeout", this.offline);
    document.removeEventListener("htmx:responseError", this.refused);
    document.removeEventListener("keydown", this.typed);
  }

  typed = (event) => {
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    const button = [...this.querySelectorAll(".undo")].at(-1);
    if (!button || event.target.closest?.("input, textarea")?.value) return;
    event.preventDefault();
    button.click();
  };

  hear = (event) => this.show(event.detail?.text ?? event.detail?.value, event.detail?.kind, event.detail?.undo);

  offline = () => this.show(this.dataset.offline, "negative");

  refused = (event) => {
    const said = event.detail.xhr.getResponseHeader("X-Problem");
    const words = this.dataset[WORDS[event.detail.xhr.status] ?? "failed"];
    this.show(said ? decodeURIComponent(said) : words, "negative");
  };

  show(text, kind = "", undo = null) {
    if (!text) return;
    const same = [...this.querySelectorAll(":scope > .toast p")].find((p) => p.textContent === text);
    same?.parentElement.remove();
    const toast = this.querySelector("template").content.firstElementChild.cloneNode(true);
    toast.querySelector("p").textContent = text;
    if (kind) toast.classList.add(kind);
    toast.querySelector("button").addEventListener("click", () => toast.remove());
    if (undo) toast.querySelector("p").after(this.undoing(toast, undo));
    this.append(toast);
    this.keep(toast);
  }

  undoing(toast, { method, url, target }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small quiet undo";
    button.textContent = this.dataset.undo;
    button.addEventListener("click", () => {
      toast.remove();
      const place = document.querySelector(target);
      window.htmx.ajax(method, url, { source: document.body, target: place ?? this, swap: place ? "outerHTML" : "none" });
    });
    return button;
  }

  keep(toast) {
    const seconds = toast.querySelector(".undo") ? UNDO_SECONDS : SECONDS;
    let timer = setTimeout(() => toast.remove(), seconds * 1000);
    const stay = () => clearTimeout(timer);
    const go = () => { timer = setTimeout(() => toast.remove(), seconds * 500); };
    toast.addEventListener("pointerenter", stay);
    toast.addEventListener("focusin", stay);
    toast.addEventListener("pointerleave", go);
    toast.addEventListener("focusout", go);
  }
}

customElements.define("toast-stack", ToastStack);
