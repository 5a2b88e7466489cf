/** A dialog that any button with `data-opens="its id"` opens, and a button with `data-closes` inside it closes. */
class OpenDialog extends HTMLElement {
  connectedCallback() {
    document.addEventListener("click", this.clicked);
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.clicked);
  }

  clicked = (event) => {
    const dialog = this.querySelector("dialog");
    const opener = event.target.closest?.("[data-opens]");
    if (opener?.dataset.opens === dialog.id) {
      opener.closest("[popover]")?.hidePopover();
      dialog.showModal();
    } else if (event.target === dialog || (event.target.closest?.("[data-closes]") && dialog.contains(event.target))) {
      dialog.close();
    }
  };
}

customElements.define("open-dialog", OpenDialog);
