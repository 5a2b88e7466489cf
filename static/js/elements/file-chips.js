/** The files of a message that is being written: pasted, dropped on the conversation, or chosen. Images go to the
 *  image tray where the model sees them. They are uploaded in pieces, one after the other; the server's line, which
 *  carries the id and says how far the file is read, has the last word. */
class FileChips extends HTMLElement {
  static PIECE = 4 * 1024 * 1024;
  static PAUSES = [1000, 3000, 9000];
  static LOOK = 1000;

  connectedCallback() {
    this.list = this.querySelector("ul");
    this.input = this.querySelector("input[type=file]");
    this.room = this.closest("chat-thread");
    this.waiting = [];
    this.running = null;
    this.input.addEventListener("change", this.chosen);
    this.addEventListener("click", this.clicked);
    this.room.addEventListener("paste", this.pasted);
    for (const kind of ["dragover", "dragleave", "drop"]) this.room.addEventListener(kind, this.dragged);
    this.timer = setInterval(this.look, FileChips.LOOK);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    this.waiting = [];
    this.running?.abort();
    this.input.removeEventListener("change", this.chosen);
    this.removeEventListener("click", this.clicked);
    this.room.removeEventListener("paste", this.pasted);
    for (const kind of ["dragover", "dragleave", "drop"]) this.room.removeEventListener(kind, this.dragged);
  }

  get count() {
    return this.list.children.length;
  }

  get uploading() {
    return Boolean(this.running);
  }

  get images() {
    return this.closest("composer-box").querySelector("image-tray");
  }

  choose() {
    this.input.click();
  }

  /** They were sent. */
  clear() {
    this.list.replaceChildren();
    this.list.hidden = true;
  }

  /** How far the files are read by now. */
  look = async () => {
    if (document.hidden || this.looking) return;
    this.looking = true;
    for (const chip of this.list.querySelectorAll("[data-looks]")) {
      const answer = await fetch(chip.dataset.looks).catch(() => null);
      if (answer?.ok && chip.isConnected) this.show(chip, await answer.text());
      else if (answer?.status === 404) chip.remove();
    }
    this.looking = false;
  };

  /** The server's line in the place of this one; the focus stays on its button. */
  show(chip, html) {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    const made = holder.content.firstElementChild;
    const isFocused = chip.contains(document.activeElement);
    chip.replaceWith(made);
    if (isFocused) made.querySelector("button").focus();
  }

  chosen = () => {
    const files = [...this.input.files];
    this.images?.take(files.filter((file) => file.type.startsWith("image/")));
    this.take(files);
    this.input.value = "";
  };

  pasted = (event) => {
    const files = this.mine(event.clipboardData?.files ?? []);
    if (!files.length || event.target.closest(".edition")) return;
    event.preventDefault();
    this.take(files);
  };

  dragged = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    this.room.classList.toggle("receives", event.type === "dragover");
    if (event.type === "drop") this.take(event.dataTransfer.files);
  };

  clicked = (event) => {
    const button = event.target.closest("[data-removes]");
    if (!button) return;
    const chip = button.closest(".chip");
    if (button.dataset.removes) fetch(button.dataset.removes, { method: "DELETE", headers: this.token() }).catch(() => null);
    else if (this.running?.chip === chip) this.running.abort();
    chip.remove();
    this.list.hidden = !this.count;
    this.closest("composer-box").focus();
  };

  /** Those that are no matter of the image tray. */
  mine(files) {
    return [...files].filter((file) => !(this.images && file.type.startsWith("image/")));
  }

  take(files) {
    for (const file of this.mine(files)) {
      if (this.count >= Number(this.dataset.most)) return this.complain(this.dataset.full);
      this.waiting.push({ file, chip: this.chip(file) });
    }
    if (!this.running) this.next();
    this.closest("composer-box").focus();
  }

  chip(file) {
    const chip = document.createElement("li");
    const what = document.createElement("span");
    const name = document.createElement("span");
    const bar = document.createElement("progress");
    const stop = document.createElement("button");
    chip.className = "chip busy";
    what.className = "what";
    name.className = "name truncate";
    name.textContent = file.name;
    bar.className = "meter";
    bar.max = file.size || 1;
    bar.value = 0;
    bar.setAttribute("aria-label", this.words("uploading", file));
    stop.type = "button";
    stop.className = "button quiet round small";
    stop.dataset.removes = "";
    stop.setAttribute("aria-label", this.words("stops", file));
    stop.textContent = "×";
    what.append(name, bar);
    chip.append(what, stop);
    this.list.append(chip);
    this.list.hidden = false;
    return chip;
  }

  async next() {
    const job = this.waiting.shift();
    if (!job) return;
    if (job.chip.isConnected) {
      this.running = new AbortController();
      this.running.chip = job.chip;
      try {
        await this.upload(job, this.running.signal);
      } catch (trouble) {
        job.chip.remove();
        if (trouble.name !== "AbortError" && this.isConnected) this.complain(trouble.said ?? this.words("failed", job.file));
      }
      this.running = null;
      this.list.hidden = !this.count;
    }
    this.next();
  }

  async upload({ file, chip }, signal) {
    const announced = await this.send(this.dataset.uploads, { method: "POST", body: JSON.stringify({ name: file.name, size: file.size }) }, signal);
    const { id, url } = await announced.json();
    for (let at = 0; at < file.size; ) {
      const body = file.slice(at, at + FileChips.PIECE);
      const answer = await this.send(url, { method: "PATCH", body, headers: { "Upload-Offset": String(at) } }, signal);
      at = Number(answer.headers.get("Upload-Offset"));
      chip.querySelector("progress").value = at;
    }
    const whole = new FormData();
    whole.append("upload", id);
    const answer = await this.send(this.dataset.url, { method: "POST", body: whole }, signal);
    const html = await answer.text();
    if (chip.isConnected) this.show(chip, html);
  }

  /** A request that is tried again when the connection breaks. 409 says where the upload is. */
  async send(url, request, signal) {
    for (let tries = 0; ; tries++) {
      let answer;
      try {
        answer = await fetch(url, { ...request, signal, headers: { ...this.token(), ...request.headers } });
      } catch (trouble) {
        if (trouble.name === "AbortError" || tries >= FileChips.PAUSES.length) throw trouble;
        await new Promise((resolve) => setTimeout(resolve, FileChips.PAUSES[tries]));
        continue;
      }
      if (answer.ok || (answer.status === 409 && answer.headers.has("Upload-Offset"))) return answer;
      const problem = answer.headers.get("X-Problem");
      throw Object.assign(new Error(answer.statusText), { said: problem && decodeURIComponent(problem) });
    }
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

customElements.define("file-chips", FileChips);
