/** One conversation: keeps the latest line in view, tells a screen reader what is said, stops an answer,
 *  shows the thread anew when it went on or another branch is shown, and tells the other tabs of this browser. */
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
    this.addEventListener("conversation-changed", this.changed);
    this.addEventListener("htmx:afterSettle", this.settled);
    document.addEventListener("keydown", this.key);
    this.toggleAttribute("answering", Boolean(this.querySelector("run-stream")));
    this.follow();
    this.arrive();
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
    this.removeEventListener("conversation-changed", this.changed);
    this.removeEventListener("htmx:afterSettle", this.settled);
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
    // What grows below somebody who reads the end is no reason to leave it; going up is.
    const near = scrollHeight - scrollTop - clientHeight < ChatThread.NEAR;
    this.following = near || (this.following && scrollTop >= (this.top ?? 0));
    this.top = scrollTop;
    if (this.jump) this.jump.hidden = this.following;
  };

  follow = () => {
    if (this.following && this.querySelector(".message")) this.log.scrollTop = this.log.scrollHeight;
    else this.scrolled();
  };

  /** An address that names a message leads to it, in whatever branch it stands; once, for the person may go elsewhere. */
  arrive() {
    if (!this.dataset.page || !location.hash) return;
    if (location.search) history.replaceState(history.state, "", location.pathname + location.hash);
    if (this.dataset.branch) window.htmx.ajax("POST", this.dataset.branch, { source: this, swap: "none" });
    else this.lookAt(location.hash.slice(1));
  }

  lookAt(id) {
    const line = this.log.querySelector(`#${CSS.escape(id)}`);
    if (!line) return;
    this.following = false;
    line.scrollIntoView({ block: "start" });
  }

  toEnd() {
    this.following = true;
    this.follow();
    if (this.jump) this.jump.hidden = true;
  }

  // What is said

  announce(text) {
    const voice = this.querySelector(".voice");
    const plain = voice && this.plain(text ?? "");
    if (!plain) return;
    const said = document.createElement("p");
    said.textContent = plain;
    voice.append(said);
    while (voice.children.length > 8) voice.firstChild.remove();
  }

  /** Markdown as one would read it aloud: no signs, a link's words, a row's cells, and of code that it is there. */
  plain(text) {
    const code = this.querySelector(".voice").dataset.code;
    return text
      .replace(/^ {0,3}(```|~~~)[ \t]*([\w+#.-]*)[\s\S]*?(?:^ {0,3}\1.*$|$(?![\s\S]))/gm, (_, __, language) => ` ${[code, language].filter(Boolean).join(", ")}. `)
      .replace(/^[ \t]*\|?[ \t]*:?-{3,}.*$/gm, " ")
      .replace(/^[ \t]*\|(.*)\|[ \t]*$/gm, (_, cells) => `${cells.split("|").map((cell) => cell.trim()).join(", ")}. `)
      .replace(/!?\[([^\]\n]*)\]\([^)\s]*\)/g, "$1")
      .replace(/^[ \t]*(?:[-+*]|#{1,6}|>)[ \t]+/gm, " ")
      .replace(/[*`]+|(?<!\w)_+|_+(?!\w)/g, "")
      .replace(/\s+/g, " ")
      .trim();
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
    const link = event.target.closest("a[data-enlarges]");
    if (link && !event.ctrlKey && !event.metaKey) return this.enlarge(event, link);
    if (event.target.closest("dialog.enlarged")) return event.target.closest("dialog").close();
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches(".attach")) this.querySelector(button.matches(".files") ? "file-chips" : "image-tray")?.choose();
    if (button.dataset.send !== undefined) this.composer?.send(button.dataset.send);
    else if (button.dataset.fill !== undefined) this.composer?.fill(button.dataset.fill);
    else if (button.matches(".stop")) this.stop();
    else if (button.matches(".jump")) {
      this.toEnd();
      this.composer?.focus();
    } else if (button.matches(".resend")) this.composer?.submit();
  };

  enlarge(event, link) {
    event.preventDefault();
    const dialog = this.querySelector("dialog.enlarged");
    const [image, small] = [dialog.querySelector("img"), link.querySelector("img")];
    image.src = link.href;
    image.alt = small?.alt ?? "";
    dialog.showModal();
  }

  key = (event) => {
    if (this.written(event)) return;
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || !this.hasAttribute("answering")) return;
    if (document.querySelector(":popover-open, dialog[open]")) return;
    const at = document.activeElement;
    if (this.contains(at) || at === document.body) this.stop();
  };

  /** A form begins with the cursor behind its text; that a message waits is told. */
  settled = (event) => {
    const at = document.activeElement;
    if (at.matches(".edition [data-sends]")) at.setSelectionRange(at.value.length, at.value.length);
    const waits = event.target.matches?.(".queue") && event.detail.requestConfig?.elt?.matches(".composer");
    if (waits) this.announce(event.target.querySelector(".while")?.textContent);
  };

  /** In the form of an earlier or a waiting message: Enter sends it, Escape leaves it. */
  written(event) {
    const form = event.target.closest?.(".edition");
    if (!form || !this.contains(form) || event.isComposing || event.keyCode === 229) return false;
    if (event.key === "Escape") form.querySelector("[data-cancels]").click();
    else if (event.key === "Enter" && !event.shiftKey && !event.altKey && event.target.matches("[data-sends]")) form.requestSubmit();
    else return false;
    event.preventDefault();
    return true;
  }

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

  // What others did: another tab, the queue, another branch

  turned = (event) => {
    const { xhr, requestConfig } = event.detail;
    const at = event.target;
    if (!["post", "delete"].includes(requestConfig?.verb) || xhr.status >= 300) return;
    if (at.matches?.(".cancel") || at.closest?.("[data-aside]")) return;
    if (!at.closest?.(".branches, .queue, .edition")) this.toEnd();
    if (this.dataset.channel) this.channel.postMessage(this.dataset.channel);
  };

  told = (event) => {
    if (event.data !== this.dataset.channel || !this.dataset.refresh) return;
    if (this.querySelector(".message")) this.refresh();
    else window.htmx.ajax("GET", this.dataset.refresh, { source: this, target: this, swap: "outerHTML" });
  };

  /** Another branch, or other words: what is looked at stays where it is, and a screen reader hears which it is. */
  changed = async (event) => {
    const place = event.target.closest?.(".branches");
    const wanted = this.dataset.branch && location.hash.slice(1);
    delete this.dataset.branch;
    if (!place) this.toEnd();
    await this.refresh(place);
    if (wanted) this.lookAt(wanted);
  };

  /** The lines and the queue as the server has them now. The composer stays: somebody may be writing in it. */
  async refresh(place = null) {
    const response = await fetch(this.dataset.refresh, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!response?.ok || !this.isConnected) return;
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    const key = this.id.replace("pane-", "");
    const [focused, mine] = [document.activeElement?.id, this.contains(document.activeElement)];
    const before = place?.getBoundingClientRect().top;
    const last = this.querySelector(".message:last-child")?.id;
    for (const id of [`lines-${key}`, `queue-${key}`]) {
      const [old, made] = [document.getElementById(id), holder.content.getElementById(id)];
      if (!old || !made || (old.matches(".queue") && old.querySelector(".edition"))) continue;
      old.replaceWith(made);
      window.htmx.process(made);
      if (made.matches("ol")) this.grown.observe(made);
    }
    if (mine && document.activeElement === document.body) {
      (document.getElementById(focused) ?? this.composer)?.focus({ preventScroll: true });
    }
    const now = place && document.getElementById(place.id);
    if (now) {
      this.following = false;
      this.log.scrollTop += now.getBoundingClientRect().top - before;
      this.announce(now.dataset.said);
    } else {
      this.follow();
      this.tellAnswersAfter(last);
    }
  }

  /** Answers that were complete before this page learned that they were begun. */
  tellAnswersAfter(id) {
    for (let line = id && document.getElementById(id)?.nextElementSibling; line; line = line.nextElementSibling) {
      if (line.dataset.ending === undefined) continue;
      this.announce(line.querySelector("textarea[id^=source-]")?.value);
      this.announce(line.dataset.ending);
    }
  }
}

customElements.define("chat-thread", ChatThread);
