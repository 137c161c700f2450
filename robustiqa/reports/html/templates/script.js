// Tables sort and pictures blink; without this script the page is complete, and neither button is there.
"use strict";
const said = document.getElementById("said");
const valueOf = (row, i) => row.cells[i].dataset.sort ?? row.cells[i].textContent.trim();

function compare(a, b, numeric) {
  return numeric ? a - b : a.localeCompare(b, "en", { numeric: true });
}

function sort(table, heading, i) {
  const body = table.tBodies[0];
  const filled = [...body.rows].filter((row) => valueOf(row, i) !== "");
  const empty = [...body.rows].filter((row) => valueOf(row, i) === "");
  const numeric = filled.every((row) => Number.isFinite(Number(valueOf(row, i))));
  const before = heading.getAttribute("aria-sort");
  const order = before ? (before === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
  const sign = order === "ascending" ? 1 : -1;
  filled.sort((a, b) => sign * compare(valueOf(a, i), valueOf(b, i), numeric));
  body.append(...filled, ...empty);
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  said.textContent = `Sorted by ${heading.textContent.trim()}, ${order}.`;
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, heading, i));
  });
}

for (const shot of document.querySelectorAll(".shot.blinks")) {
  const [, distorted, adversarial] = shot.querySelectorAll("img");
  const [clean, attacked] = [distorted.src, adversarial.src];
  const caption = adversarial.parentNode.querySelector("figcaption");
  const name = caption.textContent;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "blink";
  button.textContent = "Blink: before in place of after";
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    adversarial.src = pressed ? clean : attacked;
    caption.textContent = pressed ? "before the attack" : name;
  });
  shot.querySelector(".strip").after(button);
}
