import { mount } from "svelte";

import App from "./App.svelte";
import { tauri } from "./backend";
import "./looks/base.css";
import "./looks/frame.css";
import "./looks/controls.css";
import "./looks/parts.css";
import "./looks/reading.css";
import "./looks/bench.css";
import "./looks/closed.css";
// The last word, because it takes back what the others say.
import "./looks/room.css";

const target = document.getElementById("app");
if (target) {
  mount(App, { target, props: { backend: tauri } });
  // The first callback comes before the first frame, the second after it.
  requestAnimationFrame(() => requestAnimationFrame(() => void tauri.painted()));
}
