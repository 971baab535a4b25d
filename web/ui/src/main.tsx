// Entry of the console: preferences and router first, so that the first paint has its theme and its page.
import { render } from "preact";
import { App } from "./App";
import { startPreferences } from "./lib/preferences";
import { startRouter } from "./router";
import "./style/base.css";
import "./style/controls.css";
import "./style/chart.css";
import "./style/query.css";
import "./style/alerts.css";
import "./style/usage.css";

startPreferences();
startRouter();
const root = document.getElementById("app");
if (!root) throw new Error("index.html has no element with the id app");
render(<App />, root);
