/** Light, dark, or as the system has it: shown at once, kept by the server. */
class AppearanceSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this.choose);
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this.choose);
  }

  choose = (event) => {
    const form = event.target;
    const chosen = event.submitter?.value ?? "";
    const body = new FormData(form, event.submitter);
    event.preventDefault();
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
    for (const button of document.querySelectorAll("appearance-switch button")) {
      button.setAttribute("aria-pressed", String(button.value === chosen));
    }
    fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true });
  };
}

customElements.define("appearance-switch", AppearanceSwitch);
