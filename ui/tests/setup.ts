import { cleanup } from "@testing-library/svelte";
import { afterEach } from "vitest";

// jsdom draws nothing, and says so on every call; axe-core asks and can do without.
HTMLCanvasElement.prototype.getContext = () => null;

afterEach(cleanup);
