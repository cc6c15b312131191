// The documentation page: draws openapi.json, which stands beside it, and sends requests to the same server.
// Texts go into the page as text alone, never as markup.

const REF = "#/components/schemas/";
const filter = document.getElementById("filter");
const contents = document.getElementById("contents");
const operations = document.getElementById("operations");
let schemas = {};

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const resolved = (schema) => (schema && schema.$ref ? resolved(schemas[schema.$ref.slice(REF.length)]) : schema || {});

function typeOf(schema) {
  if (!schema) return "any";
  if (schema.$ref) return schema.$ref.slice(REF.length);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return choices.filter((each) => each.type !== "null").map(typeOf).join(" | ");
  if (schema.type === "array") return `[${typeOf(schema.items)}]`;
  return schema.format || schema.type || "any";
}

const bounds = (schema) =>
  [["minimum", "≥"], ["maximum", "≤"], ["minLength", "length ≥"], ["maxLength", "length ≤"], ["pattern", "like"]]
    .filter(([key]) => schema[key] !== undefined)
    .map(([key, sign]) => `${sign} ${schema[key]}`)
    .join(", ");

// Of several forms the first that has fields; of a list those of its items.
function described(schema) {
  const whole = resolved(schema);
  const choices = whole.anyOf || whole.oneOf;
  if (choices) return choices.map(described).find((each) => each.properties) || {};
  return whole.type === "array" ? described(whole.items) : whole;
}

function fields(schema) {
  const whole = described(schema);
  const required = new Set(whole.required || []);
  const rows = Object.entries(whole.properties || {}).map(([name, inner]) =>
    make("tr", {},
      make("td", {}, name, required.has(name) ? " *" : ""),
      make("td", {}, typeOf(inner)),
      make("td", {}, [inner.description || resolved(inner).description, bounds(inner)].filter(Boolean).join(" · "))));
  if (!rows.length) return null;
  return make("table", {}, make("tr", {}, ...["field", "type", ""].map((text) => make("th", {}, text))), ...rows);
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function exampleOf(content) {
  if (content.example !== undefined) return content.example;
  const first = Object.values(content.examples || {})[0];
  return first ? first.value : undefined;
}

function parameters(operation, inputs) {
  if (!operation.parameters?.length) return null;
  const rows = operation.parameters.map((parameter) => {
    const input = make("input", { "aria-label": parameter.name, autocomplete: "off" });
    inputs.push({ parameter, input });
    const schema = parameter.schema || {};
    const text = [parameter.description, bounds(schema)].filter(Boolean).join(" · ");
    return make("tr", {},
      make("td", {}, parameter.name, parameter.required ? " *" : ""),
      make("td", {}, parameter.in, make("br"), make("span", { class: "quiet" }, typeOf(schema))),
      make("td", {}, text),
      make("td", {}, input));
  });
  const head = make("tr", {}, ...["parameter", "in", "", "value"].map((text) => make("th", {}, text)));
  return make("div", {}, make("h3", {}, "Parameters"), make("table", {}, head, ...rows));
}

function body(operation) {
  const found = Object.entries(operation.requestBody?.content || {})[0];
  if (!found) return { node: null, area: null, kind: null };
  const [kind, content] = found;
  const example = exampleOf(content);
  const area = make("textarea", { rows: "8", spellcheck: "false", "aria-label": "body" });
  area.value = example === undefined ? "" : shown(example);
  area.rows = Math.min(18, area.value.split("\n").length + 1);
  const title = `Body · ${kind}` + (operation.requestBody.required ? "" : " (optional)");
  return { node: make("div", {}, make("h3", {}, title), fields(content.schema), area), area, kind };
}

function answers(operation) {
  const parts = Object.entries(operation.responses).map(([status, answer]) => {
    const [kind, content] = Object.entries(answer.content || {})[0] || [];
    const example = content && status < "400" ? exampleOf(content) : undefined;
    const inside = content && status < "400" ? fields(content.schema) : null;
    const line = [make("code", {}, status), ` ${answer.description} `, kind ? make("span", { class: "quiet" }, kind) : ""];
    if (example === undefined && !inside) return make("div", {}, ...line);
    return make("details", {}, make("summary", {}, ...line), inside,
      example === undefined ? null : make("pre", {}, shown(example)));
  });
  return make("div", {}, make("h3", {}, "Answers"), ...parts);
}

function requestOf(path, method, inputs, given) {
  let url = path;
  const query = new URLSearchParams();
  const headers = {};
  for (const { parameter, input } of inputs) {
    const value = input.value;
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(value || parameter.name));
    else if (value && parameter.in === "query") query.append(parameter.name, value);
    else if (value && parameter.in === "header") headers[parameter.name] = value;
  }
  const project = document.getElementById("project").value.trim();
  if (project && !query.has("projectId") && !path.includes("{project_id}")) query.append("projectId", project);
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  const text = given.area?.value.trim();
  if (text) headers["Content-Type"] = given.kind;
  const asked = query.toString();
  return { url: asked ? `${url}?${asked}` : url, method: method.toUpperCase(), headers, body: text || undefined };
}

function curl({ url, method, headers, body: text }) {
  const quoted = (value) => `'${value.replaceAll("'", "'\\''")}'`;
  const named = Object.entries(headers).map(([name, value]) =>
    `-H ${quoted(`${name}: ${name === "Authorization" ? "Bearer $TOKEN" : value}`)}`.replace("'Authorization: Bearer $TOKEN'", '"Authorization: Bearer $TOKEN"'));
  return ["curl", `-X ${method}`, ...named, text ? `-d ${quoted(text)}` : "", quoted(location.origin + url)]
    .filter(Boolean).join(" \\\n  ");
}

function sender(path, method, inputs, given) {
  const output = make("pre", { class: "answer", hidden: "", "aria-live": "polite" });
  const say = (text) => { output.hidden = false; output.textContent = text; };
  const send = async () => {
    const request = requestOf(path, method, inputs, given);
    say("…");
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), 20000);
    try {
      const { url, ...rest } = request;
      const answer = await fetch(url, { ...rest, credentials: "omit", signal: abort.signal });
      const text = await answer.text();
      let pretty = text;
      try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
      const etag = answer.headers.get("etag");
      say(`${answer.status} ${answer.statusText}${etag ? `   ETag: ${etag}` : ""}\n\n${pretty.slice(0, 200000)}`);
    } catch (error) {
      say(`no answer: ${error.message}`);
    } finally {
      clearTimeout(timer);
    }
  };
  return make("div", {},
    make("div", { class: "row" },
      make("button", { class: "send", type: "button", onclick: send }, "Send"),
      make("button", { type: "button", onclick: () => say(curl(requestOf(path, method, inputs, given))) }, "As curl")),
    output);
}

function inside(path, method, operation) {
  const inputs = [];
  const given = body(operation);
  const needs = operation["x-permission"];
  const who = { public: "for everybody", signedIn: "for whoever is signed in" }[needs] || `needs ${needs}`;
  const why = operation["x-permission-reason"];
  return make("div", { class: "inside" },
    make("p", {}, operation.description),
    make("p", { class: "quiet" }, make("code", {}, operation.operationId), ` · ${who}${why ? ` (${why})` : ""}`),
    parameters(operation, inputs), given.node, answers(operation), sender(path, method, inputs, given));
}

function drawn(path, method, operation) {
  const node = make("details", { class: `operation${operation.deprecated ? " old" : ""}`, id: operation.operationId },
    make("summary", {},
      make("span", { class: `method ${method}` }, method), make("span", { class: "path" }, path),
      make("span", { class: "what" }, operation.summary)));
  // What is inside is made when it is first looked at.
  node.addEventListener("toggle", () => {
    if (node.open && node.children.length === 1) node.append(inside(path, method, operation));
  });
  const text = `${path} ${operation.operationId} ${operation.summary} ${operation["x-permission"]}`.toLowerCase();
  return { node, text, link: make("a", { href: `#${operation.operationId}` }, operation.summary) };
}

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches("details.operation")) { named.open = true; named.scrollIntoView(); }
}

function draw(all) {
  schemas = all.components.schemas;
  const groups = all.tags.map((tag) => ({ tag, found: [] }));
  for (const [path, methods] of Object.entries(all.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      groups.find(({ tag }) => tag.name === operation.tags[0]).found.push(drawn(path, method, operation));
    }
  }
  operations.replaceChildren();
  for (const group of groups) {
    const { tag, found } = group;
    group.section = make("section", {}, make("h2", {}, tag.name), make("p", {}, tag.description), ...found.map(({ node }) => node));
    group.part = make("div", {}, make("h2", {}, tag.name), ...found.map(({ link }) => link));
    operations.append(group.section);
    contents.append(group.part);
  }
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { found, section, part } of groups) {
      let any = false;
      for (const { node, text, link } of found) {
        const fits = words.every((word) => text.includes(word));
        node.hidden = link.hidden = !fits;
        any ||= fits;
      }
      section.hidden = part.hidden = !any;
    }
  });
  addEventListener("hashchange", openNamed);
  openNamed();
}

try {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  draw(await answer.json());
} catch (error) {
  document.getElementById("state").textContent = `The description cannot be read: ${error.message}. Load the page again.`;
}
