/** The conversation starters of a draft: add, remove, and move by the arrow keys or by pulling the grip. */
class StarterList extends HTMLElement {
  connectedCallback() {
    this.rows = this.querySelector(".rows");
    this.addEventListener("click", this.clicked);
    this.addEventListener("keydown", this.typed);
    this.addEventListener("pointerdown", this.pull);
    this.name();
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.clicked);
    this.removeEventListener("keydown", this.typed);
    this.removeEventListener("pointerdown", this.pull);
  }

  clicked = (event) => {
    const button = event.target.closest("button");
    if (button?.matches(".add")) this.add(this.rows.lastElementChild);
    if (button?.matches(".remove")) this.remove(button.closest(".starter-field"));
  };

  typed = (event) => {
    const row = event.target.closest(".starter-field");
    if (!row || event.isComposing) return;
    if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
      this.add(row);
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.target.matches(".grip")) return;
    event.preventDefault();
    if (!this.move(row, step)) return;
    row.querySelector(".grip").focus();
    const at = [...this.rows.children].indexOf(row) + 1;
    this.querySelector("[aria-live]").textContent = this.words("moved", at).replace("%m", this.rows.children.length);
  };

  pull = (event) => {
    const grip = event.target.closest(".grip");
    if (!grip || event.button) return;
    const row = grip.closest(".starter-field");
    event.preventDefault();
    grip.focus();
    row.classList.add("pulled");
    const follow = ({ clientY }) => {
      const above = row.previousElementSibling?.getBoundingClientRect();
      const below = row.nextElementSibling?.getBoundingClientRect();
      if (above && clientY < above.top + above.height / 2) this.move(row, -1, false);
      else if (below && clientY > below.top + below.height / 2) this.move(row, 1, false);
    };
    const release = () => {
      removeEventListener("pointermove", follow);
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
      row.classList.remove("pulled");
      this.changed();
    };
    addEventListener("pointermove", follow);
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
  };

  add(after) {
    if (this.rows.children.length >= Number(this.dataset.most)) return;
    const row = this.querySelector("template").content.querySelector(".starter-field").cloneNode(true);
    if (after) after.after(row);
    else this.rows.append(row);
    this.name();
    row.querySelector("input").focus();
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.name();
    (next?.querySelector("input") ?? this.querySelector(".add")).focus();
    this.changed();
  }

  move(row, step, told = true) {
    const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return false;
    if (step < 0) other.before(row);
    else other.after(row);
    this.name();
    if (told) this.changed();
    return true;
  }

  /** Every control is named after its place. */
  name() {
    [...this.rows.children].forEach((row, index) => {
      row.querySelector("input").setAttribute("aria-label", this.words("row", index + 1));
      row.querySelector(".grip").setAttribute("aria-label", this.words("move", index + 1));
      row.querySelector(".remove").setAttribute("aria-label", this.words("remove", index + 1));
    });
    this.querySelector(".add").hidden = this.rows.children.length >= Number(this.dataset.most);
  }

  words(kind, number) {
    return this.dataset[kind].replace("%n", number);
  }

  changed() {
    this.querySelector("input[type=hidden]").dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.define("starter-list", StarterList);
