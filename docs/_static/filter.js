/* Filters of the first table after #filtre: one list per column, and a search. */
(() => {
  const place = document.getElementById("filtre");
  const body = [...document.querySelectorAll("table")].find(
    (t) => place.compareDocumentPosition(t) & Node.DOCUMENT_POSITION_FOLLOWING);
  const heads = [...body.querySelectorAll("thead th")].map((th) => th.textContent.trim());
  const rows = [...body.querySelectorAll("tbody tr")];
  const cells = (row, column) =>
    row.children[column].textContent.split(",").map((text) => text.trim());
  const lists = place.dataset.columns.split(",").map(Number).map((column) => {
    const list = document.createElement("select");
    list.setAttribute("aria-label", heads[column]);
    list.append(new Option(heads[column] + " : all", ""));
    [...new Set(rows.flatMap((row) => cells(row, column)))].sort((a, b) => a.localeCompare(b))
      .forEach((text) => list.append(new Option(text, text)));
    place.append(list);
    return [column, list];
  });
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Search";
  search.setAttribute("aria-label", "Search");
  const count = document.createElement("span");
  count.setAttribute("role", "status");
  place.append(search, count);
  const bare = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const apply = () => {
    let shown = 0;
    rows.forEach((row) => {
      const kept = lists.every(([column, list]) =>
        !list.value || cells(row, column).includes(list.value))
        && bare(row.textContent).includes(bare(search.value));
      row.hidden = !kept;
      shown += kept;
    });
    count.textContent = shown + " / " + rows.length;
  };
  place.addEventListener("input", apply);
  apply();
})();
