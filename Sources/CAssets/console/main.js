// The console of one edge. Every module beside this one has one idea; here they are put together.
//
// Ids, `data-column`, `data-key`, `data-action`, `data-tile` and `data-type` are what tests and scripts may rely on.
import { API } from "./api.js";
import { ActionDialog } from "./dialogs.js";
import { Actions } from "./actions.js";
import { ConfigurationView } from "./configuration.js";
import { ConnectionsView } from "./connections.js";
import { Drain } from "./drain.js";
import { EventsView } from "./feed.js";
import { Freshness } from "./freshness.js";
import { History } from "./history.js";
import { OverviewView } from "./overview.js";
import { Poll } from "./poll.js";
import { Roles } from "./roles.js";
import { RulesView } from "./rules.js";
import { Tiles } from "./tiles.js";
import { element, setText } from "./dom.js";
import { counted, duration } from "./format.js";
import { signIn, signOut } from "./session.js";
import { startRouter } from "./router.js";
import { startTheme } from "./theme.js";

startTheme();
const api = new API();
const roles = new Roles();
roles.identity = await signIn(api);
api.addEventListener("signedOut", ({ detail }) => signOut(detail.message));
start();

function start() {
  const history = new History();
  const look = () => [status, ...Object.values(views)].forEach((part) => (part.refresh ?? part.now).call(part));
  const actions = new Actions(api, look);
  const confirm = new ActionDialog(element("confirm-dialog"));
  const context = { api, roles, history, actions, confirm, onDone: look };
  const views = {
    overview: new OverviewView(context),
    connections: new ConnectionsView(context),
    rules: new RulesView(context),
    events: new EventsView(context),
    configuration: new ConfigurationView(context),
  };
  const tiles = new Tiles();
  const drain = new Drain(context);
  const freshness = new Freshness(api, () => look());
  const status = new Poll({
    every: 2000,
    ask: (signal) => api.get("/status", { signal }),
    show: (answer) => {
      history.add(answer);
      tiles.draw(history);
      drain.draw(answer);
      freshness.stamp(answer.now);
      setText(element("about"), about(answer));
      setText(element("draining"), answer.draining ? `Draining: ${counted(answer.connections, "connection")} left` : "");
      fillRoutes(answer.routes);
    },
  });

  element("console").hidden = false;
  setText(element("host"), location.host);
  setText(element("who"), roles.identity ? `${roles.identity.name} · ${roles.identity.role}` : "");
  element("sign-out").hidden = api.token === null;
  element("sign-out").addEventListener("click", () => signOut());
  element("skip").addEventListener("click", () => element("main").focus());
  for (const close of document.querySelectorAll("[data-close]")) {
    close.addEventListener("click", () => close.closest("dialog").close());
  }
  status.start();
  startRouter(views);
}

function about({ version, uptime_seconds: uptime, reactors }) {
  return `${version} · up ${duration(uptime)} · ${counted(reactors, "reactor")}`;
}

/** Offers the routes' names in the filter. */
function fillRoutes(routes) {
  const list = element("route-names");
  if ([...list.children].map(({ value }) => value).join("\n") === routes.join("\n")) return;
  list.replaceChildren(...routes.map((name) => new Option(name, name)));
}
