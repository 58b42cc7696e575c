/** The script of the reference page: fills in names, copies commands, runs the safe ones, filters the list. */
export const referenceScript = `"use strict";
const names = document.querySelector("#names");

function fillIn() {
  for (const input of names.querySelectorAll("input")) {
    for (const place of document.querySelectorAll('[data-name="' + input.name + '"]')) {
      place.textContent = encodeURIComponent(input.value.trim()) || "{" + input.name + "}";
    }
    sessionStorage.setItem("waybill." + input.name, input.value);
  }
}

function recall() {
  for (const input of names.querySelectorAll("input")) {
    input.value = sessionStorage.getItem("waybill." + input.name) ?? input.value;
  }
}

async function copy(button, command) {
  await navigator.clipboard.writeText(command.textContent);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1200);
}

async function run(command, panel) {
  const url = new URL(command.querySelector("u").textContent);
  const response = await fetch(url.pathname);
  const text = await response.text();
  const code = document.createElement("code");
  code.textContent = response.headers.get("content-type")?.includes("json")
    ? JSON.stringify(JSON.parse(text), undefined, 2)
    : text;
  const pre = document.createElement("pre");
  pre.append(code);
  const caption = document.createElement("figcaption");
  caption.textContent = "Answer " + response.status + " " + response.statusText;
  panel.hidden = false;
  panel.replaceChildren(caption, pre);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button === null) return;
  const figure = button.closest("figure");
  const command = figure.querySelector("pre code");
  if (button.dataset.do === "copy") void copy(button, command);
  else void run(command, figure.parentElement.querySelector(".answer"));
});

document.querySelector("#filter").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of document.querySelectorAll("[data-find]")) {
    item.hidden = !item.dataset.find.includes(wanted);
  }
});

const links = new Map([...document.querySelectorAll("nav a[href^='#']")].map((a) => [a.hash.slice(1), a]));
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "-10% 0px -80% 0px" });
for (const id of links.keys()) {
  const target = document.getElementById(id);
  if (target !== null && id !== "top") seen.observe(target);
}

names.addEventListener("input", fillIn);
names.addEventListener("submit", (event) => event.preventDefault());
recall();
fillIn();
`;
