/** An answer while it is made: follows the run's events and is replaced by the finished answer, once.
 *
 *  A native EventSource reconnects by itself and sends Last-Event-ID, so nothing is lost or said twice. A new one
 *  (a reload, a second tab) is played from the start. When the stream stays away, the answer is fetched instead. */
class RunStream extends HTMLElement {
  static ATTEMPTS = 8;
  static PAUSES = [1000, 2000, 4000, 8000, 15000];
  // A number at the beginning of a line is no end.
  static SENTENCE = /(?:(?<!(?:^|\n)\s*\d+)[.!?…]["”’)\]*_]*\s+|[。！？；]["”’）」』*_]*|\n+)/g;
  static BREATH = 1200;
  // Of one attempt: stream.py.
  static EVENTS_MOST = 10_000_000;

  connectedCallback() {
    this.room = this.closest("chat-thread");
    this.prose = this.querySelector("live-prose");
    this.activity = this.querySelector(".activity");
    this.waiting = this.querySelector(".waiting");
    this.text = this.coming = "";
    this.tries = 0;
    this.heard = 0;
    this.paused = Number(this.dataset.paused);
    addEventListener("online", this.again);
    this.open();
    this.tell(this.dataset.asks ?? this.dataset.thinking);
    this.room?.dispatchEvent(new CustomEvent("run-started"));
  }

  disconnectedCallback() {
    removeEventListener("online", this.again);
    this.close();
    this.room?.dispatchEvent(new CustomEvent("run-ended"));
  }

  open() {
    this.close();
    this.errors = 0;
    // The first event of a new source is the first of the run: what stood here until then is played again.
    this.fresh = true;
    const source = (this.source = new EventSource(this.dataset.events));
    const on = (kind, act) => source.addEventListener(kind, (event) => {
      this.errors = this.tries = 0;
      const attempt = Math.floor(parseInt(event.lastEventId || "0") / RunStream.EVENTS_MOST);
      if (this.dataset.asks !== undefined) {
        // What came before the question stands on the page; what comes after it tells that it is answered.
        if (kind === "done" || attempt > this.paused) this.ask();
        return;
      }
      if (this.fresh) this.clear();
      this.fresh = false;
      act(JSON.parse(event.data), attempt);
    });
    source.addEventListener("open", () => this.say(""));
    source.addEventListener("error", this.lost);
    on("delta", (data) => this.take(data.text));
    on("step", (data) => this.say(data.state === "started" ? data.label : ""));
    on("changed", () => document.body.dispatchEvent(new CustomEvent("draft-changed", { bubbles: true })));
    on("restart", (data) => {
      this.clear();
      this.heard = Math.min(this.heard, data.text.length);
      if (data.text) this.take(data.text);
      this.tell(this.dataset.thinking);
    });
    on("paused", (_, attempt) => attempt > this.paused && this.ask());
    on("done", (data) => this.finish(RunStream.parsed(data.html)));
  }

  close() {
    this.source?.close();
    clearTimeout(this.timer);
    clearTimeout(this.voice);
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  clear() {
    this.text = "";
    this.coming = "";
    this.spoke = performance.now();
    this.prose.clear?.();
    this.removeAttribute("writing");
  }

  take(text) {
    this.coming += text;
    this.frame ||= requestAnimationFrame(this.show);
    // A hidden tab gets no frames; its screen reader, if it has one, still hears.
    if (document.hidden) this.speak();
  }

  show = () => {
    this.frame = 0;
    this.text += this.coming;
    this.prose.write(this.coming);
    this.coming = "";
    this.toggleAttribute("writing", this.text.trim() !== "");
    this.speak();
  };

  /** Whole sentences to the screen reader, with a breath between. */
  speak() {
    const pause = this.spoke + RunStream.BREATH - performance.now();
    clearTimeout(this.voice);
    if (pause > 0) {
      this.voice = setTimeout(() => this.speak(), pause);
      return;
    }
    const rest = this.text.slice(this.heard);
    const last = [...rest.matchAll(RunStream.SENTENCE)].at(-1);
    const end = last ? RunStream.beforeOpenCode(rest.slice(0, last.index + last[0].length)) : 0;
    if (!end) return;
    this.room?.announce(rest.slice(0, end));
    this.heard += end;
    this.spoke = performance.now();
  }

  /** Code is told when it is whole: where the part before it ends. */
  static beforeOpenCode(text) {
    const fences = [...text.matchAll(/^ {0,3}(?:```|~~~)/gm)];
    return fences.length % 2 ? fences.at(-1).index : text.length;
  }

  /** What is no part of the answer: once, not each time it is shown again. */
  tell(words) {
    if (words && words !== this.told) this.room?.announce(words);
    this.told = words;
  }

  /** What goes on beside the text: a tool at work, a lost connection; nothing says that it thinks. */
  say(words = "") {
    this.activity.textContent = words || this.dataset.thinking;
    this.waiting.classList.toggle("shown", Boolean(words));
    if (words) this.tell(words);
  }

  /** The stream broke. The browser tries again; we step in when it gave up or tried in vain. */
  lost = () => {
    this.errors += 1;
    const gaveUp = this.source.readyState === EventSource.CLOSED;
    if (gaveUp || this.errors >= RunStream.ATTEMPTS) this.ask();
    else if (this.errors > 1) this.say(this.dataset.lost);
  };

  again = () => {
    if (this.errors || this.tries) this.ask();
  };

  async ask() {
    this.close();
    try {
      const response = await fetch(this.dataset.answer, { headers: { "HX-Request": "true" } });
      if (response.status >= 400 && response.status < 500) return this.say(this.dataset.gone);
      if (!response.ok) throw new Error(String(response.status));
      const html = await response.text();
      const made = RunStream.parsed(html);
      const stream = made.querySelector("run-stream");
      if (!stream) return this.finish(made);
      if (stream.dataset.asks !== this.dataset.asks) return this.give(made);
    } catch {
      this.say(this.dataset.lost);
    }
    const pause = RunStream.PAUSES[Math.min(this.tries, RunStream.PAUSES.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => (this.tries > 1 && !navigator.onLine ? this.ask() : this.open()), pause);
  }

  /** What the builder changed, as its summary says it. */
  static changes(made) {
    const summary = made.querySelector(".changes summary");
    if (!summary) return [];
    const parts = [...summary.querySelectorAll(".badge")].map((badge) => badge.textContent.replace(/\s+/g, " ").trim());
    return [`${summary.childNodes[1].textContent.trim()} ${parts.join(", ")}.`];
  }

  static parsed(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    return holder.content.firstElementChild;
  }

  /** Another state of the answer in the place of this one. */
  give(made) {
    this.close();
    this.closest("li").replaceWith(made);
    window.htmx?.process(made);
  }

  finish(made) {
    const text = this.text + this.coming;
    // It was complete before its stream was open: then nothing of it was told yet.
    this.room?.announce(text ? text.slice(this.heard) : made.querySelector("textarea[id^=source-]")?.value);
    this.room?.announce([...RunStream.changes(made), made.dataset.ending ?? ""].join(" "));
    this.room?.title(made.dataset.title);
    this.room?.awaitTitle();
    const room = this.room;
    this.give(made);
    // A message that waited is answered next, or another tab went on.
    if (made.dataset.moved !== undefined) room?.refresh();
    if (made.querySelector(".changes")) document.body.dispatchEvent(new CustomEvent("draft-changed", { bubbles: true }));
  }
}

customElements.define("run-stream", RunStream);
