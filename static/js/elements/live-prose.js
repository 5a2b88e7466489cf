/** Text that is still being written, shown as it will look: whole blocks are settled, only the last one is drawn again.
 *  Formulas stay as they are written. Everything is set as text, never as HTML; the server's rendering replaces it when the answer is complete. */
class LiveProse extends HTMLElement {
  static INLINE = /(\$\$[^$]+(?:\$\$|$)|\$[^$\s](?:[^$\n]*[^$\s])?\$|\\\(.*?(?:\\\)|$)|\*\*[^*\n]+(?:\*\*|$)|`[^`\n]+(?:`|$)|\*[^*\s][^*\n]*\*|!?\[[^\]\n]*\]\([^)\s]*\)?)/;
  static ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/;
  static FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;

  connectedCallback() {
    this.clear();
  }

  disconnectedCallback() {
    this.replaceChildren();
  }

  clear() {
    this.text = "";
    this.settled = 0;
    this.last = null;
    this.replaceChildren();
  }

  write(more) {
    this.text += more;
    for (let end = this.end(); end > 0; end = this.end()) {
      this.draw(this.text.slice(this.settled, end));
      this.settled = end;
      this.last = null;
    }
    this.draw(this.text.slice(this.settled), true);
  }

  /** Where the first unsettled block ends, or 0 while it goes on. */
  end() {
    const rest = this.text.slice(this.settled);
    const start = rest.search(/\S/);
    if (start < 0) return 0;
    const head = rest.lastIndexOf("\n", start) + 1;
    const fence = LiveProse.FENCE.exec(rest.slice(head));
    if (fence) {
      const close = new RegExp(`\\n {0,3}${fence[1][0]}{${fence[1].length},}[ \\t]*(?=\\n)`).exec(rest.slice(head));
      return close ? this.settled + head + close.index + close[0].length : 0;
    }
    const gap = /\n[ \t]*\n|\n(?= {0,3}(?:`{3}|~{3}))/.exec(rest.slice(start));
    return gap ? this.settled + start + gap.index + gap[0].length : 0;
  }

  draw(block, open = false) {
    const text = block.replace(/^\s*\n/, "").trimEnd();
    this.last?.remove();
    this.last = text.trim() ? this.element(text) : null;
    if (this.last) this.append(this.last);
    if (!open) return;
    const caret = document.createElement("span");
    caret.className = "caret";
    this.last ??= this.appendChild(document.createElement("p"));
    const leaves = this.last.querySelectorAll("li, code:only-child, td, th");
    (leaves.length ? leaves[leaves.length - 1] : this.last).append(caret);
  }

  element(text) {
    const lines = text.split("\n");
    const heading = /^#{1,6}\s+(.*)$/.exec(lines[0]);
    if (LiveProse.FENCE.test(lines[0])) return this.code(lines);
    if (LiveProse.ITEM.test(lines[0])) return this.list(lines);
    if (/^\s*\|.*\|/.test(lines[0]) && lines.length > 1) return this.table(lines);
    const made = document.createElement("p");
    if (heading) {
      made.className = "strong";
      this.inline(made, heading[1]);
      if (lines.length > 1) this.inline(made, `\n${lines.slice(1).join("\n")}`);
    } else {
      this.inline(made, lines.map((line) => line.replace(/^>\s?/, "")).join("\n"));
    }
    return made;
  }

  code(lines) {
    const [, marks, language] = LiveProse.FENCE.exec(lines[0]);
    const closed = lines.length > 1 && lines[lines.length - 1].trim().startsWith(marks);
    const box = document.createElement("div");
    const header = document.createElement("header");
    const pre = document.createElement("pre");
    box.className = "code";
    header.textContent = language;
    pre.append(document.createElement("code"));
    pre.firstChild.textContent = lines.slice(1, closed ? -1 : undefined).join("\n");
    box.append(header, pre);
    return box;
  }

  list(lines) {
    const top = { depth: -1, element: document.createElement("div") };
    const open = [top];
    for (const line of lines) {
      const item = LiveProse.ITEM.exec(line);
      if (!item) {
        this.inline(open[open.length - 1].element.lastElementChild ?? top.element, `\n${line.trim()}`);
        continue;
      }
      const depth = item[1].length;
      while (open[open.length - 1].depth > depth) open.pop();
      if (open[open.length - 1].depth < depth) {
        const list = document.createElement(item[2] ? "ol" : "ul");
        if (item[2]) list.start = Number(item[2]);
        const parent = open[open.length - 1];
        (parent === top ? top.element : parent.element.lastElementChild).append(list);
        open.push({ depth, element: list });
      }
      const made = document.createElement("li");
      this.inline(made, item[3]);
      open[open.length - 1].element.append(made);
    }
    return top.element.children.length === 1 ? top.element.firstElementChild : top.element;
  }

  table(lines) {
    const box = document.createElement("div");
    const table = document.createElement("table");
    box.className = "scrolls";
    table.className = "table";
    const rows = lines.map((line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim()));
    const rule = rows.findIndex((cells) => cells.every((cell) => /^:?-*:?$/.test(cell)));
    const inks = (rows[rule] ?? []).map((cell) => (!cell.endsWith(":") ? "" : cell.startsWith(":") ? "center" : "number"));
    rows.forEach((cells, number) => {
      if (number === rule) return;
      const head = number === 0;
      const row = (head ? table.createTHead() : (table.tBodies[0] ?? table.createTBody())).insertRow();
      cells.forEach((cell, column) => {
        const made = document.createElement(head ? "th" : "td");
        made.className = inks[column] ?? "";
        this.inline(made, cell);
        row.append(made);
      });
    });
    box.append(table);
    return box;
  }

  inline(parent, text) {
    for (const part of text.split(LiveProse.INLINE)) {
      if (!part) continue;
      const tag = part.startsWith("**") ? "strong" : part[0] === "`" ? "code" : /^\*[^*\s].*\*$/.test(part) ? "em" : "";
      const link = /^!?\[([^\]]*)\]\([^)]*\)?$/.exec(part);
      if (!tag || part.length < 3) {
        parent.append(link ? link[1] : part);
        continue;
      }
      const made = document.createElement(tag);
      made.textContent = part.replace(/^(\*\*|`|\*)|(\*\*|`|\*)$/g, "");
      parent.append(made);
    }
  }
}

customElements.define("live-prose", LiveProse);
