"use strict";
// Sorting and saving of tables, and the 3D view on demand. The page reads well without any of it.

// What a cell says in plain ASCII, where the page prints it with typographic signs.
function plain(cell) {
  return cell.dataset.plain ?? cell.textContent.trim();
}

function cellValue(row, column) {
  const text = plain(row.cells[column]).replace("−", "-");
  const number = parseFloat(text);
  return Number.isNaN(number) ? text : number;
}

function sortTable(table, column, button) {
  const body = table.tBodies[0];
  const ascending = button.parentElement.getAttribute("aria-sort") !== "ascending";
  const rows = Array.from(body.rows).sort((a, b) => {
    const [x, y] = [cellValue(a, column), cellValue(b, column)];
    if (typeof x === "number" && typeof y === "number") return x - y;
    return String(x).localeCompare(String(y), undefined, { numeric: true });
  });
  if (!ascending) rows.reverse();
  rows.forEach((row) => body.append(row));
  table.querySelectorAll("th").forEach((head) => head.removeAttribute("aria-sort"));
  button.parentElement.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

function quoted(text) {
  // A leading =, +, - or @ that is no number would be a formula in a spreadsheet.
  const safe = /^[=+\-@]/.test(text) && Number.isNaN(Number(text)) ? "'" + text : text;
  return '"' + safe.replaceAll('"', '""') + '"';
}

function saveTable(table) {
  const lines = Array.from(table.rows, (row) => Array.from(row.cells, (cell) => quoted(plain(cell))).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
  link.download = table.caption.textContent.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 60) + ".csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

function equipTable(table) {
  if (table.tBodies[0].rows.length > 1) {
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sortTable(table, column, button));
      head.replaceChildren(button);
    });
  }
  const save = document.createElement("button");
  save.type = "button";
  save.className = "save";
  save.textContent = "Save as CSV";
  save.setAttribute("aria-label", "Save as CSV: " + table.caption.textContent);
  save.addEventListener("click", () => saveTable(table));
  const more = document.createElement("span");
  more.className = "more-columns";
  more.textContent = "more columns: scroll the table sideways";
  table.parentElement.after(save, more);
  const scroll = table.parentElement;
  new ResizeObserver(() => { more.hidden = scroll.scrollWidth <= scroll.clientWidth; }).observe(scroll);
}

// On paper nothing can be opened.
let closed = [];
function openForPrint() {
  closed = Array.from(document.querySelectorAll("details:not([open])"));
  closed.forEach((fold) => { fold.open = true; });
}

function closeAfterPrint() {
  closed.forEach((fold) => { fold.open = false; });
}

async function unpacked(element) {
  const bytes = Uint8Array.from(atob(element.textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

// The viewer's own buttons show icons only; they may lie inside shadow roots.
function nameButtons(root) {
  root.querySelectorAll("*").forEach((inner) => inner.shadowRoot && nameButtons(inner.shadowRoot));
  root.querySelectorAll("button").forEach((button) => {
    const tip = button.getAttribute("data-bs-original-title") || button.title || button.textContent.trim();
    button.setAttribute("aria-label", tip || "viewer settings");
  });
}

function connectImages(view, data, part) {
  const slider = part("image");
  const state = part("state");
  const last = data.structures.length - 1;
  const { state: names, energy, arc } = data.properties;
  const show = (k) => {
    slider.value = k;
    view.select({ structure: k, environment: k });
    const path = arc ? arc.values[k].toFixed(2) + " Å along the path, " : "";
    state.textContent = names.values[k] + ", " + path + energy.values[k].toFixed(3) + " eV";
  };
  slider.max = last;
  slider.addEventListener("input", () => show(Number(slider.value)));
  part("before").addEventListener("click", () => show(0));
  part("after").addEventListener("click", () => show(last));
  show(0);
}

async function openViewer(button) {
  button.disabled = true;
  const name = (what) => "viewer-" + what + button.dataset.suffix;
  const part = (what) => document.getElementById(name(what));
  const status = part("status");
  status.textContent = "Loading the 3D view.";
  try {
    if (typeof Chemiscope === "undefined") {
      const script = document.createElement("script");
      script.textContent = await unpacked(document.getElementById("viewer-library"));
      document.head.append(script);
    }
    document.getElementById("viewer" + button.dataset.suffix).hidden = false;
    const data = JSON.parse(part("data").textContent);
    const warnings = new Chemiscope.Warnings();
    warnings.addHandler((message) => { status.textContent = message; });
    const config = { meta: name("meta"), structure: name("structure"), info: name("info") };
    const view = await Chemiscope.StructureVisualizer.load(config, data, warnings);
    nameButtons(part("structure"));
    connectImages(view, data, part);
    status.textContent = "Drag to turn, scroll to zoom.";
    button.hidden = true;
  } catch (error) {
    status.textContent = "The 3D view could not be opened here: " + error.message;
    button.disabled = false;
  }
}

// A curve moves only when a reader asks for it.
const FRAME_ms = 120;
function equipMoving(moving) {
  const [frames, names] = [JSON.parse(moving.dataset.frames), JSON.parse(moving.dataset.names)];
  const [line, slider] = [moving.querySelector("polyline"), moving.querySelector("input")];
  const [button, said] = [moving.querySelector("button"), moving.querySelector("output")];
  const show = (k) => {
    slider.value = k;
    slider.setAttribute("aria-valuetext", names[k]);
    line.setAttribute("points", frames[k]);
    said.textContent = names[k];
  };
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  };
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    let k = Number(slider.value) >= frames.length - 1 ? 0 : Number(slider.value);
    button.textContent = "Stop";
    timer = setInterval(() => {
      show(k);
      if (++k >= frames.length) stop();
    }, FRAME_ms);
  });
  moving.querySelector(".controls").hidden = false;
}

document.querySelectorAll("table").forEach(equipTable);
document.querySelectorAll(".moving").forEach(equipMoving);
window.addEventListener("beforeprint", openForPrint);
window.addEventListener("afterprint", closeAfterPrint);
document.querySelectorAll(".viewer-open").forEach((opener) => {
  opener.hidden = false;
  opener.addEventListener("click", () => openViewer(opener));
});
