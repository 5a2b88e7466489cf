/** An answer while it is made: follows the run's events and is replaced by the finished answer, once.
 *
 *  A native EventSource reconnects by itself and sends Last-Event-ID, so nothing is lost or said twice. A new one
 *  (a reload, a second tab) is played from the start. When the stream stays away, the answer is fetched instead. */
class RunStream extends HTMLElement {
  static ATTEMPTS = 8;
  static PAUSES = [1000, 2000, 4000, 8000, 15000];
  static SENTENCE = /(?:[.!?…]["”’)\]]*\s+|[。！？；]["”’）」』]*|\n+)/g;
  static BREATH = 1200;

  connectedCallback() {
    this.room = this.closest("chat-thread");
    this.prose = this.querySelector("live-prose");
    this.activity = this.querySelector(".activity");
    this.waiting = this.querySelector(".waiting");
    this.text = this.coming = "";
    this.tries = 0;
    this.heard = 0;
    addEventListener("online", this.again);
    this.open();
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
      if (this.fresh) this.clear();
      this.fresh = false;
      act(JSON.parse(event.data));
    });
    source.addEventListener("open", () => this.say(""));
    source.addEventListener("error", this.lost);
    on("delta", (data) => this.take(data.text));
    on("step", (data) => this.say(data.state === "started" ? data.label : ""));
    on("changed", () => document.body.dispatchEvent(new CustomEvent("draft-changed", { bubbles: true })));
    on("restart", () => {
      this.clear();
      this.heard = 0;
    });
    on("done", (data) => this.finish(data.html));
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
    const ends = [...rest.matchAll(RunStream.SENTENCE)];
    if (!ends.length) return;
    const end = ends[ends.length - 1].index + ends[ends.length - 1][0].length;
    this.room?.announce(rest.slice(0, end));
    this.heard += end;
    this.spoke = performance.now();
  }

  /** What goes on beside the text: a tool at work, a lost connection; nothing says that it thinks. */
  say(words = "") {
    this.activity.textContent = words || this.dataset.thinking;
    this.waiting.classList.toggle("shown", Boolean(words));
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
      if (!html.includes("<run-stream")) return this.finish(html);
    } catch {
      this.say(this.dataset.lost);
    }
    const pause = RunStream.PAUSES[Math.min(this.tries, RunStream.PAUSES.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => (this.tries > 1 && !navigator.onLine ? this.ask() : this.open()), pause);
  }

  finish(html) {
    this.close();
    const line = this.closest("li");
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    const made = holder.content.firstElementChild;
    const rest = (this.text + this.coming).slice(this.heard);
    this.room?.announce(`${rest}\n${made.dataset.ending ?? ""}`);
    this.room?.title(made.dataset.title);
    this.room?.awaitTitle();
    const room = this.room;
    line.replaceWith(made);
    window.htmx?.process(made);
    // A message that waited is answered next, or another tab went on.
    if (made.dataset.moved !== undefined) room?.refresh();
    if (made.querySelector(".changes")) document.body.dispatchEvent(new CustomEvent("draft-changed", { bubbles: true }));
  }
}

customElements.define("run-stream", RunStream);
