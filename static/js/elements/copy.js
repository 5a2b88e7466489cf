/** Copies text. `data-copy="text"` copies that text, `data-copy="#id"` an element's text or value,
 *  an empty `data-copy` the code block the button stands in. Answers stream in later, so the document listens. */
function textFor(button) {
  const what = button.dataset.copy;
  if (what === "") return button.closest(".code")?.querySelector("pre")?.innerText ?? "";
  if (!what.startsWith("#")) return what;
  const element = document.querySelector(what);
  return element?.value ?? element?.innerText ?? "";
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(textFor(button));
  } catch {
    return; // No permission, or not a secure page: the text can still be selected.
  }
  const stack = document.querySelector("toast-stack");
  const label = button.querySelector("span") ?? button;
  if (!stack?.dataset.copied || button.dataset.busy) return;
  const before = label.textContent;
  button.dataset.busy = "1";
  label.textContent = stack.dataset.copied;
  setTimeout(() => {
    label.textContent = before;
    delete button.dataset.busy;
  }, 1600);
});
