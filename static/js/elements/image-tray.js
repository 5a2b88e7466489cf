/** The images of a message that is being written: pasted, dropped on the conversation, or chosen. They are uploaded
 *  one after the other, which is the order a model sees them in, and shown while they are on their way; the server's
 *  thumbnail, which carries the id, has the last word. */
class ImageTray extends HTMLElement {
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
  }

  disconnectedCallback() {
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

  choose() {
    this.input.click();
  }

  /** They were sent. */
  clear() {
    this.list.replaceChildren();
    this.list.hidden = true;
  }

  chosen = () => {
    this.take(this.input.files);
    this.input.value = "";
  };

  pasted = (event) => {
    if (event.target.closest(".edition")) return;
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
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
    const thumb = button.closest(".thumb");
    if (button.dataset.removes) fetch(button.dataset.removes, { method: "DELETE", headers: this.token() }).catch(() => null);
    thumb.remove();
    this.list.hidden = !this.count;
    this.closest("composer-box").focus();
  };

  take(files) {
    for (const file of files) {
      if (this.count >= Number(this.dataset.most)) return this.complain(this.dataset.full);
      if (file.type.startsWith("image/")) this.upload(file);
    }
    this.closest("composer-box").focus();
  }

  upload(file) {
    const thumb = document.createElement("li");
    const image = document.createElement("img");
    const bar = document.createElement("progress");
    thumb.className = "thumb";
    thumb.setAttribute("aria-busy", "true");
    image.src = URL.createObjectURL(file);
    image.alt = "";
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", this.dataset.uploading);
    thumb.append(image, bar);
    this.list.append(thumb);
    this.list.hidden = false;

    this.waiting.push({ thumb, file, bar, image });
    if (!this.running) this.next();
  }

  next() {
    const job = this.waiting.shift();
    if (!job) return;
    const { thumb, file, bar, image } = job;
    if (!thumb.isConnected) return this.next();
    const request = (this.running = new XMLHttpRequest());
    const body = new FormData();
    body.append("image", file);
    request.open("POST", this.dataset.url);
    for (const [name, value] of Object.entries(this.token())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && (bar.value = event.loaded / event.total));
    request.addEventListener("loadend", () => {
      this.running = null;
      URL.revokeObjectURL(image.src);
      this.received(thumb, request);
      this.next();
    });
    request.send(body);
  }

  received(thumb, request) {
    const holder = document.createElement("template");
    if (request.status === 201) holder.innerHTML = request.responseText.trim();
    const made = holder.content.firstElementChild;
    if (made && thumb.isConnected) thumb.replaceWith(made);
    else thumb.remove();
    this.list.hidden = !this.count;
    if (made || !this.isConnected) return;
    const problem = request.getResponseHeader("X-Problem");
    this.complain(problem ? decodeURIComponent(problem) : this.dataset.failed);
  }

  complain(text) {
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, kind: "negative" } }));
  }

  token() {
    return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  }
}

customElements.define("image-tray", ImageTray);
