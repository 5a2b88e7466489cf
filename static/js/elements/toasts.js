/** Short news: the event "toast" with { text, kind } (from a script, or from the server by HX-Trigger),
 *  and one sentence for every htmx request that went wrong. Six seconds, longer under the pointer or the focus. */
const SECONDS = 6;
const WORDS = { 401: "signedOut", 403: "signedOut", 404: "gone", 410: "gone", 413: "tooLarge", 429: "tooMany" };

class ToastStack extends HTMLElement {
  connectedCallback() {
    document.addEventListener("toast", this.hear);
    document.addEventListener("htmx:sendError", this.offline);
    document.addEventListener("htmx:timeout", this.offline);
    document.addEventListener("htmx:responseError", this.refused);
    for (const toast of this.querySelectorAll(":scope > .toast")) this.keep(toast);
  }

  disconnectedCallback() {
    document.removeEventListener("toast", this.hear);
    document.removeEventListener("htmx:sendError", this.offline);
    document.removeEventListener("htmx:timeout", this.offline);
    document.removeEventListener("htmx:responseError", this.refused);
  }

  hear = (event) => this.show(event.detail?.text ?? event.detail?.value, event.detail?.kind);

  offline = () => this.show(this.dataset.offline, "negative");

  refused = (event) => {
    const said = event.detail.xhr.getResponseHeader("X-Problem");
    const words = this.dataset[WORDS[event.detail.xhr.status] ?? "failed"];
    this.show(said ? decodeURIComponent(said) : words, "negative");
  };

  show(text, kind = "") {
    if (!text) return;
    const same = [...this.querySelectorAll(":scope > .toast p")].find((p) => p.textContent === text);
    same?.parentElement.remove();
    const toast = this.querySelector("template").content.firstElementChild.cloneNode(true);
    toast.querySelector("p").textContent = text;
    if (kind) toast.classList.add(kind);
    toast.querySelector("button").addEventListener("click", () => toast.remove());
    this.append(toast);
    this.keep(toast);
  }

  keep(toast) {
    let timer = setTimeout(() => toast.remove(), SECONDS * 1000);
    const stay = () => clearTimeout(timer);
    const go = () => { timer = setTimeout(() => toast.remove(), SECONDS * 500); };
    toast.addEventListener("pointerenter", stay);
    toast.addEventListener("focusin", stay);
    toast.addEventListener("pointerleave", go);
    toast.addEventListener("focusout", go);
  }
}

customElements.define("toast-stack", ToastStack);
