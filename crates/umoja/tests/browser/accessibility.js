// What is in the way of people with a small screen, a screen reader, a keyboard or weak eyes: a list of sentences, empty if
// nothing is. WCAG 2.2 AA: 1.1.1, 1.3.1, 1.4.3, 1.4.10, 2.4.2, 2.4.6, 2.5.8, 3.1.1, 3.3.1, 3.3.2, 4.1.1.
const faults = [];
const all = (selector) => [...document.querySelectorAll(selector)];
const shown = (element) => element.checkVisibility({ visibilityProperty: true });
const named = (element) => `<${element.tagName.toLowerCase()}> "${(element.innerText || element.name || "").slice(0, 40)}"`;

if (!document.documentElement.lang) faults.push("the page does not say its language");
if (!document.title.trim()) faults.push("the page has no title");
for (const [landmark, count] of [["main", 1], ["h1", 1], ["header", 1], ["footer", 1]]) {
  if (all(landmark).length !== count) faults.push(`the page has ${all(landmark).length} <${landmark}>`);
}
for (const nav of all("nav")) if (!nav.ariaLabel) faults.push("a <nav> has no name");

let level = 0;
for (const heading of all("h1, h2, h3, h4")) {
  const own = Number(heading.tagName[1]);
  if (own > level + 1) faults.push(`${named(heading)} skips a level`);
  level = own;
}

const ids = all("[id]").map((element) => element.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`the id ${id} is there twice`);

for (const control of all("input:not([type=hidden]), select, textarea")) {
  const label = [...(control.labels || [])].map((label) => label.innerText.trim()).join(" ") || control.ariaLabel;
  if (!label) faults.push(`${named(control)} has no label`);
  const told = control.getAttribute("aria-describedby");
  if (told && !told.split(" ").every((id) => document.getElementById(id))) faults.push(`${named(control)} points to nothing`);
  if (control.ariaInvalid === "true" && !told) faults.push(`${named(control)} is wrong and does not say why`);
}
for (const control of all("a[href], button")) {
  if (!(control.innerText || control.ariaLabel || "").trim()) faults.push(`${named(control)} has no words`);
}
for (const picture of all("img, svg")) {
  const hidden = picture.ariaHidden === "true";
  if (!hidden && !(picture.alt || picture.ariaLabel)) faults.push("a picture has no words");
}
for (const table of all("table")) {
  if (!table.caption) faults.push("a table has no caption");
  for (const head of table.querySelectorAll("th")) if (!head.scope) faults.push("a heading of a table has no scope");
}

for (const control of all("button, .button, input:not([type=radio]):not([type=checkbox]):not([type=hidden]), select, textarea")) {
  const box = control.getBoundingClientRect();
  if (shown(control) && box.height < 44) faults.push(`${named(control)} is ${Math.round(box.height)} pixels high`);
}
for (const control of all("nav a, label:has(input), summary, .history a")) {
  const box = control.getBoundingClientRect();
  if (shown(control) && box.height < 24) faults.push(`${named(control)} is ${Math.round(box.height)} pixels high`);
}

const width = document.documentElement.clientWidth;
if (document.scrollingElement.scrollWidth > width) {
  const wide = all("main *, header *, footer *").filter((element) => element.getBoundingClientRect().right > width + 1);
  faults.push(`the page is wider than the screen: ${wide.map(named).slice(0, 3)}`);
}

const channels = (text) => text.match(/[\d.]+/g).map(Number);
const luminance = ([red, green, blue]) => {
  const linear = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
};
const background = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = channels(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !shown(element)) continue;
  const style = getComputedStyle(element);
  const lights = [luminance(channels(style.color)), luminance(background(element))].sort((one, other) => other - one);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  const contrast = (lights[0] + 0.05) / (lights[1] + 0.05);
  if (contrast < (large ? 3 : 4.5)) faults.push(`${named(element)} has a contrast of ${contrast.toFixed(2)}`);
}
return faults;
