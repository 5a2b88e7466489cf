/** A dialog that any button with `data-opens="its id"` opens, and a button with `data-closes` inside it closes.
 *  It says "opened", so that what it shows can be renewed. */
class OpenDialog extends HTMLElement {
  connectedCallback() {
    document.addEventListener("click", this.clicked);
    this.querySelector("dialog").addEventListener("close", this.closed);
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.clicked);
  }

  clicked = (event) => {
    const dialog = this.querySelector("dialog");
    const opener = event.target.closest?.("[data-opens]");
    if (opener?.dataset.opens === dialog.id && !event.ctrlKey && !event.metaKey) {
      // A link that leads to the same without a script.
      if (opener.matches("a")) event.preventDefault();
      const menu = opener.closest("[popover]");
      menu?.hidePopover();
      this.opener = menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : opener;
      dialog.showModal();
      dialog.dispatchEvent(new Event("opened"));
    } else if (event.target === dialog || (event.target.closest?.("[data-closes]") && dialog.contains(event.target))) {
      dialog.close();
    }
  };

  /** The browser gives the focus back to the opener; it cannot when that was replaced meanwhile, or stands in a menu. */
  closed = () => {
    const { opener } = this;
    (opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id))?.focus?.();
  };
}

customElements.define("open-dialog", OpenDialog);
