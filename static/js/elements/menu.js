/** Menus (`.menu[popover]`): arrow keys walk through the choices, from their button too, and a choice closes the menu. */
const menuOf = (element) => {
  const opened = element.popoverTargetElement;
  return opened?.matches(".menu:popover-open") ? opened : element.closest(".menu[popover]");
};
const choicesOf = (menu) => [...menu.querySelectorAll(".choice:not(:disabled)")];

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest && menuOf(event.target);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!menu || !step || event.target.matches("input, textarea, select")) return;
  const choices = choicesOf(menu);
  if (!choices.length) return;
  event.preventDefault();
  const at = choices.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : choices.length - 1) : (at + step + choices.length) % choices.length;
  choices[next].focus();
});

document.addEventListener("click", (event) => {
  const choice = event.target.closest?.(".menu[popover] .choice");
  if (choice && !choice.hasAttribute("data-stays")) choice.closest(".menu").hidePopover?.();
});
