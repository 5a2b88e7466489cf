/** A form whose `credential` a passkey fills in. data-ceremony: create or get. The options stand in a JSON script
 *  (data-options, its id) or are asked for when needed (data-options-url). Shown only where the browser can do it. */
class PasskeyForm extends HTMLElement {
  connectedCallback() {
    if (!window.PublicKeyCredential) return;
    this.hidden = false;
    this.addEventListener("submit", this.ask);
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this.ask);
  }

  ask = async (event) => {
    const form = event.target;
    event.preventDefault();
    this.problem?.setAttribute("hidden", "");
    try {
      const { publicKey } = await this.options();
      const credential =
        this.dataset.ceremony === "create"
          ? await navigator.credentials.create({ publicKey: this.forCreation(publicKey) })
          : await navigator.credentials.get({ publicKey: this.forRequest(publicKey) });
      form.elements.credential.value = JSON.stringify(this.written(credential));
      HTMLFormElement.prototype.submit.call(form);
    } catch {
      if (!this.problem) return;
      this.problem.textContent = this.problem.dataset.failed;
      this.problem.removeAttribute("hidden");
    }
  };

  get problem() {
    return this.querySelector("[data-failed]");
  }

  async options() {
    const { options, optionsUrl } = this.dataset;
    const data = options
      ? JSON.parse(document.getElementById(options).textContent)
      : await (await fetch(optionsUrl, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } })).json();
    return data.creation_options ?? data.request_options;
  }

  /** What we make is a passkey: it stays on the device and asks for the finger, so that it signs in alone. */
  forCreation(given) {
    return {
      ...given,
      challenge: this.bytes(given.challenge),
      user: { ...given.user, id: this.bytes(given.user.id) },
      excludeCredentials: this.descriptors(given.excludeCredentials),
      authenticatorSelection: {
        ...given.authenticatorSelection,
        residentKey: "required",
        requireResidentKey: true,
        userVerification: "required",
      },
    };
  }

  forRequest(given) {
    return {
      ...given,
      challenge: this.bytes(given.challenge),
      allowCredentials: this.descriptors(given.allowCredentials),
    };
  }

  descriptors(list) {
    return (list ?? []).map((one) => ({ ...one, id: this.bytes(one.id) }));
  }

  written(credential) {
    const { response } = credential;
    const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
    return {
      id: credential.id,
      rawId: this.text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
      response: Object.fromEntries(
        parts.filter((part) => response[part]).map((part) => [part, this.text(response[part])]),
      ),
    };
  }

  bytes(text) {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  }

  text(buffer) {
    const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }
}

customElements.define("passkey-form", PasskeyForm);
