/** One conversation: keeps the latest line in view, tells a screen reader what is said, stops an answer,
 *  and tells the other tabs of this browser when a turn began. */
class ChatThread extends HTMLElement {
  static NEAR = 64;

  connectedCallback() {
    this.log = this.querySelector("[role=log]");
    this.jump = this.querySelector(".jump");
    this.following = true;
    this.grown = new ResizeObserver(this.follow);
    for (const part of [this.log, ...this.log.children]) this.grown.observe(part);
    this.channel = new BroadcastChannel("conversations");
    this.channel.addEventListener("message", this.told);
    this.log.addEventListener("scroll", this.scrolled, { passive: true });
    this.addEventListener("run-started", this.began);
    this.addEventListener("run-ended", this.ended);
    this.addEventListener("click", this.clicked);
    this.addEventListener("htmx:beforeSwap", this.refused);
    this.addEventListener("htmx:beforeOnLoad", this.turned);
    document.addEventListener("keydown", this.key);
    this.toggleAttribute("answering", Boolean(this.querySelector("run-stream")));
    this.follow();
  }

  disconnectedCallback() {
    this.grown.disconnect();
    this.channel.close();
    this.log.removeEventListener("scroll", this.scrolled);
    this.removeEventListener("run-started", this.began);
    this.removeEventListener("run-ended", this.ended);
    this.removeEventListener("click", this.clicked);
    this.removeEventListener("htmx:beforeSwap", this.refused);
    this.removeEventListener("htmx:beforeOnLoad", this.turned);
    document.removeEventListener("keydown", this.key);
  }

  get composer() {
    return this.querySelector("composer-box");
  }

  began = () => {
    this.toggleAttribute("answering", true);
    this.querySelector(".trouble")?.replaceChildren();
  };

  ended = () => this.toggleAttribute("answering", Boolean(this.querySelector("run-stream")));

  // Where the person reads

  scrolled = () => {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    this.following = scrollHeight - scrollTop - clientHeight < ChatThread.NEAR;
    if (this.jump) this.jump.hidden = this.following;
  };

  follow = () => {
    if (this.following && this.querySelector(".message")) this.log.scrollTop = this.log.scrollHeight;
    else this.scrolled();
  };

  toEnd() {
    this.following = true;
    this.follow();
    if (this.jump) this.jump.hidden = true;
  }

  // What is said

  announce(text) {
    const voice = this.querySelector(".voice");
    const plain = (text ?? "").replace(/```[\s\S]*?(```|$)/g, " ").replace(/[*_`#>|]+|:?-{3,}:?/g, " ").replace(/\s+/g, " ").trim();
    if (!voice || !plain) return;
    const said = document.createElement("p");
    said.textContent = plain;
    voice.append(said);
    while (voice.children.length > 8) voice.firstChild.remove();
  }

  title(title) {
    if (!title || !this.dataset.thread) return;
    for (const place of document.querySelectorAll(`[data-title-of="${this.dataset.thread}"]`)) place.textContent = title;
    if (this.dataset.page) document.title = `${title} · ${this.dataset.page}`;
  }

  /** A long first message gets a better title after the first answer, when the stream has ended. */
  async awaitTitle() {
    if (!this.dataset.page || this.querySelectorAll(".mine").length > 1) return;
    for (const seconds of [2, 4, 8]) {
      await new Promise((done) => setTimeout(done, seconds * 1000));
      if (!this.isConnected) return;
      const response = await fetch(this.dataset.titleUrl).catch(() => null);
      if (response?.ok) this.title(await response.text());
    }
  }

  // What the person does

  clicked = (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.send !== undefined) this.composer?.send(button.dataset.send);
    else if (button.dataset.fill !== undefined) this.composer?.fill(button.dataset.fill);
    else if (button.matches(".stop")) this.stop();
    else if (button.matches(".jump")) {
      this.toEnd();
      this.composer?.focus();
    } else if (button.matches(".resend")) this.composer?.submit();
  };

  key = (event) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || !this.hasAttribute("answering")) return;
    if (document.querySelector(":popover-open, dialog[open]")) return;
    const at = document.activeElement;
    if (this.contains(at) || at === document.body) this.stop();
  };

  stop() {
    const cancel = this.querySelector("run-stream .cancel");
    if (!cancel || cancel.disabled) return;
    cancel.click();
    cancel.disabled = true;
    this.querySelector("run-stream").say(cancel.dataset.stopping);
    this.composer?.focus();
  }

  /** A refusal names its own place, whatever its status: 409 busy, 422 not like this, 429 too much. */
  refused = (event) => {
    const { xhr } = event.detail;
    if (xhr.status < 400 || !xhr.getResponseHeader("HX-Retarget")) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  };

  // Other tabs

  turned = (event) => {
    const { xhr, requestConfig } = event.detail;
    if (requestConfig?.verb !== "post" || xhr.status >= 300 || event.target.matches?.(".cancel")) return;
    this.toEnd();
    if (this.dataset.channel) this.channel.postMessage(this.dataset.channel);
  };

  told = (event) => {
    if (event.data !== this.dataset.channel || !this.dataset.refresh) return;
    window.htmx.ajax("GET", this.dataset.refresh, { source: this, target: this, swap: "outerHTML" });
  };
}

customElements.define("chat-thread", ChatThread);
