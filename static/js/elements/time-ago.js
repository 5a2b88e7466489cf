/** How long ago, kept true while the page is open. The server's words stand until the first minute is over. */
class TimeAgo extends HTMLElement {
  connectedCallback() {
    this.timer = setInterval(() => this.show(), 30_000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  show() {
    const minutes = Math.floor((Date.now() - new Date(this.getAttribute("datetime"))) / 60_000);
    if (!(minutes >= 1)) return;
    const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short", numeric: "auto" });
    const [amount, unit] = minutes < 60 ? [minutes, "minute"] : minutes < 1440 ? [Math.floor(minutes / 60), "hour"] : [Math.floor(minutes / 1440), "day"];
    this.textContent = words.format(-amount, unit);
  }
}

customElements.define("time-ago", TimeAgo);
