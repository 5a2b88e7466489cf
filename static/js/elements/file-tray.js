/** Files of a GPT: dropped or chosen, uploaded in pieces one file after the other, then listed. An upload goes on by itself
 *  after a lost connection, and after the page was reloaded when the same file is chosen again. While files are being
 *  read the list is looked at every two seconds, unless somebody is at work in it. */
class FileTray extends HTMLElement {
  static PIECE = 4 * 1024 * 1024;
  static LOOK = 2000;
  static PAUSES = [1000, 2000, 5000, 10000, 20000];

  connectedCallback() {
    this.queue = [];
    this.room = this.closest(".work") ?? this;
    this.input = this.querySelector(".drop input");
    this.addEventListener("change", this.chosen);
    this.addEventListener("click", this.clicked);
    for (const kind of ["dragover", "dragleave", "drop"]) this.room.addEventListener(kind, this.dragged);
    this.timer = setInterval(this.look, FileTray.LOOK);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    this.queue = [];
    this.running?.abort();
    this.removeEventListener("change", this.chosen);
    this.removeEventListener("click", this.clicked);
    for (const kind of ["dragover", "dragleave", "drop"]) this.room.removeEventListener(kind, this.dragged);
  }

  get list() {
    return document.querySelector(this.dataset.target);
  }

  look = () => {
    const list = this.list;
    if (!list?.dataset.moving || document.hidden || list.querySelector(":popover-open") || list.contains(document.activeElement)) return;
    window.htmx.ajax("GET", list.dataset.moving, { source: list, target: list, swap: "outerHTML" });
  };

  chosen = (event) => {
    if (event.target !== this.input) return;
    this.take(this.input.files, this.replacing);
    this.replacing = null;
    this.input.value = "";
  };

  clicked = (event) => {
    const replaces = event.target.closest("[data-replaces]");
    if (replaces) {
      this.replacing = replaces.dataset.replaces;
      replaces.closest("[popover]")?.hidePopover();
      this.input.click();
    }
    const cancels = event.target.closest("[data-cancels]");
    if (cancels) this.cancel(cancels.closest("li"));
  };

  dragged = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    this.classList.toggle("receives", event.type === "dragover");
    if (event.type === "drop") this.take(event.dataTransfer.files);
  };

  take(files, replaces = null) {
    for (const file of replaces ? [...files].slice(0, 1) : files) {
      const line = this.line(file);
      this.queue.push({ file, line, bar: line.querySelector("progress"), attach: replaces ?? this.dataset.attach });
    }
    if (!this.running) this.next();
  }

  line(file) {
    const line = document.createElement("li");
    line.className = "item file busy";
    const what = document.createElement("div");
    what.className = "what";
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = file.name;
    const bar = document.createElement("progress");
    bar.className = "meter";
    bar.max = file.size || 1;
    bar.value = 0;
    bar.setAttribute("aria-label", this.words("uploading", file));
    const stop = document.createElement("button");
    stop.type = "button";
    stop.className = "button quiet round small";
    stop.dataset.cancels = "";
    stop.setAttribute("aria-label", this.words("cancel", file));
    stop.textContent = "×";
    what.append(name, bar);
    line.append(what, stop);
    const uploads = this.querySelector(".uploads");
    uploads.append(line);
    uploads.hidden = false;
    return line;
  }

  async next() {
    const job = this.queue.shift();
    if (!job) return;
    this.running = new AbortController();
    try {
      const id = await this.upload(job, this.running.signal);
      await this.attach(job, id);
    } catch (trouble) {
      if (trouble.name !== "AbortError") this.complain(trouble.said ?? this.words("failed", job.file));
    }
    this.running = null;
    job.line.remove();
    const uploads = this.querySelector(".uploads");
    uploads.hidden = !uploads.children.length;
    if (this.isConnected) this.next();
  }

  /** Every piece until the end; the id of the upload. */
  async upload(job, signal) {
    const { file, bar } = job;
    const known = `upload:${file.name}:${file.size}:${file.lastModified}`;
    job.known = known;
    let upload = JSON.parse(localStorage.getItem(known) ?? "null");
    let at = upload ? await this.ask(upload.url, signal) : null;
    if (at === null) {
      const answer = await this.send(this.dataset.uploads, { method: "POST", body: JSON.stringify({ name: file.name, size: file.size }) }, signal);
      if (!answer.ok) throw this.trouble(answer);
      upload = await answer.json();
      localStorage.setItem(known, JSON.stringify(upload));
      at = 0;
    }
    while (at < file.size) {
      const body = file.slice(at, at + FileTray.PIECE);
      const answer = await this.send(upload.url, { method: "PATCH", body, headers: { "Upload-Offset": String(at) } }, signal);
      if (answer.ok || answer.status === 409) at = Number(answer.headers.get("Upload-Offset"));
      else throw this.trouble(answer);
      bar.value = at;
    }
    localStorage.removeItem(known);
    return upload.id;
  }

  /** How far an upload of before came, or null when it is gone. */
  async ask(url, signal) {
    const answer = await this.send(url, { method: "HEAD" }, signal);
    return answer.ok ? Number(answer.headers.get("Upload-Offset")) : null;
  }

  /** A request that waits for the connection to come back. */
  async send(url, request, signal) {
    for (let tries = 0; ; tries++) {
      try {
        return await fetch(url, { ...request, signal, headers: { ...this.token(), ...request.headers } });
      } catch (trouble) {
        if (trouble.name === "AbortError" || !this.isConnected) throw trouble;
        if (tries === 0) this.complain(this.dataset.waiting);
        const pause = FileTray.PAUSES[Math.min(tries, FileTray.PAUSES.length - 1)];
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  attach({ file, attach }, id) {
    this.querySelector("[role=status]").textContent = file.name;
    const list = this.list;
    return window.htmx.ajax("POST", attach, { source: list, target: list, swap: "outerHTML", values: { upload: id } });
  }

  cancel(line) {
    const waiting = this.queue.findIndex((job) => job.line === line);
    if (waiting >= 0) this.queue.splice(waiting, 1);
    else this.running?.abort();
    line.remove();
  }

  trouble(answer) {
    const problem = answer.headers.get("X-Problem");
    return Object.assign(new Error(answer.statusText), { said: problem && decodeURIComponent(problem) });
  }

  words(key, file) {
    return (this.dataset[key] ?? "").replace("%n", file.name);
  }

  complain(text) {
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, kind: "negative" } }));
  }

  token() {
    return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  }
}

customElements.define("file-tray", FileTray);
