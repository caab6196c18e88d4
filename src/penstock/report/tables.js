"use strict";
(function () {
  const byId = (id) => document.getElementById(id);

  // --- tables: filter and sort ---
  document.querySelectorAll("input[data-filter]").forEach((input) => {
    const rows = Array.from(byId(input.dataset.filter).tBodies[0].rows);
    const count = byId(input.dataset.filter + "-count");
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) shown += 1;
      });
      count.textContent = shown + " of " + rows.length + " rows";
    });
  });
  const key = (cell) => cell.dataset.sort || cell.textContent.trim().replace(/,/g, "").replace("\u2212", "-");
  document.querySelectorAll("table.sortable").forEach((table) => {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const compare = (a, b) => {
        const numbers = [Number(a), Number(b)];
        if (a !== "" && b !== "" && numbers.every(Number.isFinite)) return numbers[0] - numbers[1];
        return a.localeCompare(b);
      };
      const rows = Array.from(table.tBodies[0].rows);
      rows.sort((a, b) => (up ? 1 : -1) * compare(key(a.cells[column]), key(b.cells[column])));
      rows.forEach((row) => table.tBodies[0].appendChild(row));
    }));
  });
})();
