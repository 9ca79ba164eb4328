"use strict";
// Tables that sort and filter, charts, and what ties both to the choice of models.
(() => {
  for (const table of document.querySelectorAll("table.sortable")) {
    new DataTable(table, {
      paging: false, info: false, autoWidth: false, order: [],
      layout: { topStart: "search", topEnd: null, bottomStart: null, bottomEnd: null },
      language: { search: "Filter", zeroRecords: "No row fits the filter." },
    });
  }

  for (const filters of document.querySelectorAll(".filters")) {
    const table = new DataTable.Api(`#${filters.dataset.table}`);
    const place = (name) => table.column(`[data-name="${name}"]`).index();
    const select = filters.querySelector("[data-column]");
    const most = filters.querySelector("[data-most]");
    table.search.fixed("chosen", (text, data, row) => {
      const cells = table.row(row).node().children;
      const named = !select.value || cells[place(select.dataset.column)].innerText === select.value;
      return named && (!most.value || Number(cells[place(most.dataset.most)].dataset.order) <= Number(most.value));
    });
    filters.addEventListener("input", () => table.draw());
  }

  const options = { mode: "vega-lite", renderer: "svg", actions: false };
  const drawn = [...document.querySelectorAll(".chart")].map(async (place) => {
    const spec = JSON.parse(place.firstElementChild.textContent);
    const { view } = await vegaEmbed(place, spec, options);
    return { view, section: place.closest("section")?.id };
  });

  const shown = (section) =>
    [...document.querySelectorAll(`.models input[data-section="${section}"]:checked`)].map((box) => box.value);

  document.addEventListener("change", async ({ target }) => {
    const section = target.dataset?.section;
    if (!section) return;
    const models = shown(section);
    for (const part of document.querySelectorAll(`#${CSS.escape(section)} [data-model]`)) {
      part.hidden = !models.includes(part.dataset.model);
    }
    for (const { view, section: at } of await Promise.all(drawn)) {
      if (at === section) view.signal("shown", models).runAsync();
    }
  });

  Promise.all(drawn).then(() => { document.body.dataset.drawn = "yes"; });
})();
