// Opens the built window in Chromium with a backend that is not there, at every
// stage of `samples.ts`: takes pictures, and checks contrast, width and the content
// policy. For people: `npm run build && npm run look -- FOLDER [STAGE...]`.
import { readFile, mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";

import { chromium } from "playwright-core";
import { runnerImport } from "vite";

const root = join(import.meta.dirname, "..");
const [folder = join(root, "node_modules/.look"), ...wanted] = process.argv.slice(2);

const { module: samples } = await runnerImport(join(root, "tests/samples.ts"));
const shell = JSON.parse(await readFile(join(root, "../src-tauri/tauri.conf.json"), "utf8"));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const server = createServer(async (request, response) => {
  const path = request.url === "/" ? "/index.html" : new URL(request.url, "http://x").pathname;
  const body = await readFile(join(root, "dist", path)).catch(() => null);
  // Chromium asks for an icon, which a window of the shell does not.
  const status = path === "/favicon.ico" ? 204 : body ? 200 : 404;
  response.writeHead(status, {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "content-security-policy": shell.app.security.csp,
  });
  response.end(body);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${server.address().port}/`;

/** Stands in for the shell; runs in the page before anything else. */
function standIn({ run, tokens, faces, families, closed_models, progress }) {
  const answers = { view: run, tokens, practice_faces: faces, families, closed_models };
  const callbacks = new Map();
  const listeners = new Map();
  window.__TAURI_INTERNALS__ = {
    transformCallback: (callback) => {
      callbacks.set(callbacks.size + 1, callback);
      return callbacks.size;
    },
    invoke: async (command, sent) => {
      if (command === "plugin:event|listen") listeners.set(sent.event, sent.handler);
      if (command === "families" && progress) {
        setTimeout(() => callbacks.get(listeners.get("progress"))({ payload: progress }), 50);
      }
      return answers[command] ?? null;
    },
  };
}

const few = { tokens: samples.practiceTokens, faces: samples.faces };
const many = { tokens: samples.manyTokens, faces: samples.faces };
const pages = Object.entries(samples.runs).map(([name, run]) => ({ name, run, ...many }));
pages.push(
  { name: "captured-practice", run: samples.runs.captured, ...few },
  { name: "captured-no-service", run: samples.runs.captured, tokens: samples.noService, faces: [] },
  { name: "writing", run: samples.runs.planned, ...many, progress: "writing" },
);

const looks = [
  { look: "light", colorScheme: "light", width: 1040, height: 760 },
  { look: "dark", colorScheme: "dark", width: 1040, height: 760 },
  { look: "small", colorScheme: "light", width: 900, height: 640 },
  { look: "large-text", colorScheme: "light", width: 900, height: 640, text: "125%" },
  { look: "narrow", colorScheme: "dark", width: 640, height: 640, text: "125%" },
];

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ],
});
let faults = 0;
const fault = (where, what) => {
  faults += 1;
  console.error(`${where}: ${what}`);
};
for (const { look, colorScheme, width, height, text } of looks) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height } });
  for (const { name, ...views } of pages) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const where = `${name}-${look}`;
    const page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") fault(where, message.text());
    });
    page.on("pageerror", (error) => fault(where, error.message));
    await page.addInitScript(standIn, {
      families: samples.families,
      closed_models: samples.closedModels,
      ...views,
    });
    await page.goto(address);
    await page.waitForSelector(`main[data-stage="${views.run.stage}"]`);
    if (views.progress) await page.waitForSelector(".progress");
    if (text) await page.evaluate((size) => (document.documentElement.style.fontSize = size), text);
    await page.screenshot({ path: join(folder, `${where}.png`) });
    // The whole of it, for what lies below the edge of the window.
    const whole = await page.evaluate(() => {
      const desk = document.querySelector(".desk");
      return innerHeight + desk.scrollHeight - desk.clientHeight;
    });
    if (whole > height) {
      await page.setViewportSize({ width, height: whole });
      await page.screenshot({ path: join(folder, `${where}-whole.png`) });
    }
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("*")]
        .filter((one) => one.scrollWidth > one.clientWidth + 1)
        .filter((one) => one.matches("html, .desk"))
        .map((one) => one.tagName + "." + one.className),
    );
    if (wide.length > 0) fault(where, `wider than the window: ${wide.join(", ")}`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run());
    for (const { id, nodes } of violations) {
      fault(where, `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
    }
    await page.close();
  }
  await context.close();
}
await browser.close();
server.close();
console.log(`${pages.length} pages, ${looks.length} looks, ${faults} faults: ${folder}`);
process.exitCode = faults === 0 ? 0 : 1;
