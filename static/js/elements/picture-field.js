/** Shows the chosen picture at once, while it is on its way; the server's answer has the last word. */
class PictureField extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this.chosen);
    for (const kind of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) this.addEventListener(kind, this.back);
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.chosen);
    for (const kind of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) this.removeEventListener(kind, this.back);
    if (this.address) URL.revokeObjectURL(this.address);
  }

  chosen = (event) => {
    const file = event.target.files?.[0];
    const image = this.querySelector("img");
    if (!file || !image) return;
    this.before ??= image.src;
    this.address = URL.createObjectURL(file);
    image.src = this.address;
    this.setAttribute("aria-busy", "true");
  };

  back = () => {
    this.removeAttribute("aria-busy");
    if (this.before) this.querySelector("img").src = this.before;
    this.querySelector("form").reset();
  };
}

customElements.define("picture-field", PictureField);
