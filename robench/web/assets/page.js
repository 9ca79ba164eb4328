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
    filters.addEventListener("input", () => {
      table.draw();
      const fits = table.rows({ search: "applied" }).nodes().toArray().map((row) => row.dataset.model);
      show(filters.closest("section").id, (model) => fits.includes(model));
    });
  }

  const options = { mode: "vega-lite", renderer: "svg", actions: false };
  const drawn = [...document.querySelectorAll(".chart")].map(async (place) => {
    const spec = JSON.parse(place.firstElementChild.textContent);
    const { view } = await vegaEmbed(place, spec, options);
    return { view, section: place.closest("section")?.id };
  });

  const boxes = (section) => [...document.querySelectorAll(`.models input[data-section="${section}"]`)];

  async function show(section, chosen) {
    for (const box of boxes(section)) box.checked = chosen(box.value);
    await follow(section);
  }

  async function follow(section) {
    const models = boxes(section).filter((box) => box.checked).map((box) => box.value);
    for (const part of document.querySelectorAll(`#${CSS.escape(section)} [data-model]`)) {
      part.hidden = !models.includes(part.dataset.model);
    }
    for (const { view, section: at } of await Promise.all(drawn)) {
      if (at === section) view.signal("shown", models).runAsync();
    }
  }

  document.addEventListener("change", ({ target }) => {
    if (target.matches(".models input")) follow(target.dataset.section);
  });
  document.addEventListener("click", ({ target }) => {
    if (target.matches(".models button")) show(target.dataset.section, () => target.dataset.set === "all");
  });

  Promise.all(drawn).then(() => { document.body.dataset.drawn = "yes"; });
})();
