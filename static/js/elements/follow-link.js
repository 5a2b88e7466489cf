/** Goes where its link leads: a form must not end at another origin, a page of ours may send on. */
class FollowLink extends HTMLElement {
  connectedCallback() {
    location.replace(this.querySelector("a").href);
  }
}

customElements.define("follow-link", FollowLink);
