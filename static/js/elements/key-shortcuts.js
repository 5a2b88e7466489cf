/** Keys that press what says so: `data-shortcut="mod+k"` (mod is ⌘ on a Mac, Ctrl elsewhere). `data-press` names
 *  another element instead, of which the last one counts; a field is focused. Without Ctrl or ⌘ nothing happens while
 *  somebody writes, and nothing at all while a dialog is open or an input method is at work. */
class KeyShortcuts extends HTMLElement {
  static MAC = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);
  static FIELDS = "input, textarea, select, [contenteditable]";

  connectedCallback() {
    document.addEventListener("keydown", this.typed);
    if (KeyShortcuts.MAC) for (const key of this.querySelectorAll("[data-mod]")) key.textContent = "⌘";
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.typed);
  }

  typed = (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat || event.altKey) return;
    const keys = KeyShortcuts.keys(event);
    if (!keys.startsWith("mod+") && event.target.closest?.(KeyShortcuts.FIELDS)) return;
    if (document.querySelector("dialog[open]")) return;
    const found = document.querySelector(`[data-shortcut="${CSS.escape(keys)}"]`);
    if (!found) return;
    const pressed = found.dataset.press ? [...document.querySelectorAll(found.dataset.press)].at(-1) : found;
    if (!pressed) return;
    event.preventDefault();
    if (pressed.matches(KeyShortcuts.FIELDS)) pressed.focus();
    else pressed.click();
    const text = found.dataset.done;
    if (text) document.dispatchEvent(new CustomEvent("toast", { detail: { text, kind: "positive" } }));
  };

  static keys(event) {
    const mod = KeyShortcuts.MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if ((event.metaKey || event.ctrlKey) && !mod) return "";
    // On a Cyrillic keyboard the K still lies where K lies.
    const letter = /^[a-z]$/i.test(event.key) || !event.code.startsWith("Key") ? event.key.toLowerCase() : event.code.slice(3).toLowerCase();
    return mod ? `mod+${event.shiftKey ? "shift+" : ""}${letter}` : letter;
  }
}

customElements.define("key-shortcuts", KeyShortcuts);
