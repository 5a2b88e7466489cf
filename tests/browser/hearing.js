// What a screen reader is told, into window.heard: see hearing.py.
(() => {
  const heard = (window.heard = []);
  const POLITENESS = { status: "polite", alert: "assertive", log: "polite" };
  const LIVE = "[aria-live], [role=status], [role=alert], [role=log]";
  const ATOMIC = ["status", "alert"];
  const regionOf = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(LIVE);
  const politeness = (region) => region.getAttribute("aria-live") ?? POLITENESS[region.getAttribute("role")];
  const isAtomic = (region) =>
    (region.getAttribute("aria-atomic") ?? String(ATOMIC.includes(region.getAttribute("role")))) === "true";
  const isSilent = (element) => {
    if (element.closest("[aria-hidden=true], [hidden], template")) return true;
    for (let at = element; at; at = at.parentElement) if (getComputedStyle(at).display === "none") return true;
    return getComputedStyle(element).visibility === "hidden";
  };
  const words = (node) => {
    if (node.nodeType === 3) return node.data;
    if (node.nodeType !== 1 || node.matches("template, svg, script") || isSilent(node)) return "";
    const name = node.getAttribute("aria-label") ?? node.getAttribute("alt");
    const kind = node.matches("button") ? " (button)" : "";
    return ` ${name ?? [...node.childNodes].map(words).join("")}${kind} `;
  };
  const tell = (region, text) => {
    const plain = text.replace(/\s+/g, " ").trim();
    if (plain) heard.push({ how: politeness(region), text: plain });
  };
  const changed = (records) => {
    const whole = new Set();
    for (const { target, type, addedNodes } of records) {
      for (const node of addedNodes) {
        if (node.nodeType !== 1) continue;
        const alerts = [node, ...node.querySelectorAll("*")].filter((one) => one.matches("[role=alert]"));
        for (const alert of alerts) if (alert.isConnected) tell(alert, words(alert));
      }
      const region = target.isConnected && regionOf(target);
      const how = region && politeness(region);
      if (!region || !["polite", "assertive"].includes(how)) continue;
      if (region.closest("[aria-busy=true]") || isSilent(region)) continue;
      if (isAtomic(region)) whole.add(region);
      else if (type === "characterData") tell(region, words(target));
      else for (const node of addedNodes) if (node.isConnected) tell(region, words(node));
    }
    for (const region of whole) tell(region, words(region));
  };
  const everything = { subtree: true, childList: true, characterData: true };
  const listen = () => new MutationObserver(changed).observe(document.documentElement, everything);
  if (document.documentElement) listen();
  else document.addEventListener("readystatechange", listen, { once: true });
})();
