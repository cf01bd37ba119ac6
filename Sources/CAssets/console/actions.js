// What can be done to connections, users and addresses: each opens its dialog, which counts first.
import { counted, text } from "./format.js";
import { ActionDialog, seconds, wholeNumber } from "./dialogs.js";
import { Jobs } from "./jobs.js";
import { element } from "./dom.js";
import { notify } from "./notices.js";

const parallel = 4; // requests at a time where each connection or subject needs its own

/** Who a connection belongs to, in words. */
export function nameOf({ user, client_address: address, id }) {
  return user ?? address ?? id;
}

export class Actions {
  #kick = new ActionDialog(element("kick-dialog"));
  #throttle = new ActionDialog(element("throttle-dialog"));
  #rule = new ActionDialog(element("rule-dialog"));
  #jobs;

  /** @param {import("./api.js").API} api @param {() => void} onDone  called after each, to look again */
  constructor(api, onDone) {
    this.api = api;
    this.onDone = onDone;
    this.#jobs = new Jobs(api, onDone);
    showFieldsOf(element("throttle-dialog"));
    showFieldsOf(element("rule-dialog"));
  }

  /** Closes one connection. */
  kick(connection) {
    this.#kick.open({
      title: `Close the connection of ${nameOf(connection)}?`, confirm: "Close it", hides: ["rate_per_second"],
      values: kickValues,
      act: async ({ code, reason }) => {
        await this.api.send("DELETE", `/connections/${connection.id}`, { code: Number(code), reason });
        this.onDone();
        return `Closed the connection of ${nameOf(connection)} with ${code} ${reason}.`;
      },
    });
  }

  /** Closes all that a selector finds; an empty one finds all there are. @param {Record<string, any>} selector */
  kickAll(selector, description) {
    const isAll = Object.keys(selector).length === 0;
    const order = ({ code, reason, rate_per_second: rate }) => ({
      selector, ...(isAll && { all: true }), code: Number(code), reason, rate_per_second: wholeNumber(rate),
    });
    this.#kick.open({
      title: isAll ? "Close all connections of this edge?" : `Close ${description}?`, confirm: "Close them", values: kickValues,
      count: async (values, signal) => {
        const { matched } = await this.api.send(
          "POST", "/connections/disconnect", { ...order(values), rate_per_second: undefined, dry_run: true }, { signal });
        return {
          text: matched === 0 ? "Nobody matches any more." : `This closes ${counted(matched, "connection")} now.`,
          confirm: `Close ${counted(matched, "connection")}`, isNobody: matched === 0,
        };
      },
      act: async (values) => {
        const answer = await this.api.send("POST", "/connections/disconnect", order(values));
        this.onDone();
        if (!answer.job) return `Closed ${counted(answer.closed, "connection")}.`;
        this.#jobs.follow(answer);
        return `Closing ${counted(answer.matched, "connection")}, ${values.rate_per_second} a second.`;
      },
    });
  }

  /** Slows connections down, or the user or address of one of them. @param {any[]} connections */
  throttle(connections) {
    const [first] = connections;
    const isOne = connections.length === 1;
    const whom = isOne ? `the connection of ${nameOf(first)}` : counted(connections.length, "connection");
    this.#throttle.open({
      title: `Throttle ${whom}?`, confirm: "Throttle", hides: isOne ? (first.user ? [] : ["scope-user"]) : ["scope"],
      values: { user: first.user ?? "", cidr: first.client_address ?? "", ttl: "10m" },
      countsBy: ["scope", "user", "cidr"],
      count: (values, signal) => {
        if (values.scope === "connection") return { text: `This slows ${counted(connections.length, "connection")} down.` };
        return this.#countOf(subjectOf(values), signal, "This slows down");
      },
      act: async (values) => {
        const limits = limitsOf(values);
        if (values.scope !== "connection") {
          return this.#addRule({ action: "throttle", ...subjectOf(values), ...limits, ttl_seconds: seconds(values.ttl, "ttl") });
        }
        const order = { ...limits, ttl_seconds: seconds(values.ttl, "ttl") };
        const done = await this.#each(connections, ({ id }) => this.api.send("PUT", `/connections/${id}/throttle`, order));
        this.onDone();
        return `Throttled ${counted(done, "connection")}.`;
      },
    });
  }

  /** Takes the throttle of one connection away. */
  async unthrottle(connection) {
    try {
      await this.api.send("DELETE", `/connections/${connection.id}/throttle`);
      notify(`${nameOf(connection)} is no longer throttled.`);
    } catch (error) {
      notify(error.message, "failed");
    }
    this.onDone();
  }

  /** Makes a rule; the dialog begins with what is known. @param {{action?: string, user?: string, address?: string}} about */
  addRule({ action = "ban", user = "", address = "" } = {}) {
    this.#rule.open({
      title: "New rule", confirm: "Put in force",
      values: { action, subject: user || !address ? "user" : "address", user, cidr: address, ttl: action === "ban" ? "1h" : "10m" },
      countsBy: ["subject", "user", "cidr"],
      count: (values, signal) => this.#countOf(subjectOf(values), signal, "This concerns"),
      act: (values) => this.#addRule({
        action: values.action, ...subjectOf(values), ...(values.action === "throttle" && limitsOf(values)),
        ttl_seconds: seconds(values.ttl, "ttl"), reason: values.reason || undefined, all: values.all ? true : undefined,
      }),
    });
  }

  /** Bans the users, or the addresses, of several connections. @param {any[]} connections */
  banAll(connections) {
    const subjects = (values) => {
      const member = values.subject === "user" ? "user" : "client_address";
      const names = new Set(connections.map((connection) => connection[member]).filter(Boolean));
      return [...names].map((name) => (values.subject === "user" ? { user: name } : { cidr: name }));
    };
    this.#rule.open({
      title: `Ban who has these ${counted(connections.length, "connection")}?`, confirm: "Ban",
      hides: ["action", "value", "all"],
      values: { action: "ban", subject: connections.some(({ user }) => user) ? "user" : "address", ttl: "1h" },
      countsBy: ["subject"],
      count: async (values, signal) => {
        const them = subjects(values);
        let matched = 0;
        await this.#each(them, async (subject) => (matched += await this.#matched(subject, signal)));
        const noun = values.subject === "user" ? "user" : "address";
        const names = counted(them.length, noun).replace("addresss", "addresses");
        if (them.length === 0) return { text: "None of them has a user.", isNobody: true };
        return { text: `This bans ${names} and closes ${counted(matched, "connection")} now.`, confirm: `Ban ${names}` };
      },
      act: async (values) => {
        const order = { action: "ban", ttl_seconds: seconds(values.ttl, "ttl"), reason: values.reason || undefined };
        const done = await this.#each(subjects(values), (subject) => this.api.send("POST", "/rules", { ...order, ...subject }));
        this.onDone();
        return `Put ${counted(done, "ban")} in force.`;
      },
    });
  }

  async #addRule(order) {
    const { rule, closed } = await this.api.send("POST", "/rules", order);
    this.onDone();
    return `Rule ${rule.id} is in force${closed ? ` and closed ${counted(closed, "connection")}` : ""}.`;
  }

  async #countOf(subject, signal, begin) {
    if (!Object.values(subject)[0]) return { text: "Say whom it is about.", isNobody: true };
    const matched = await this.#matched(subject, signal);
    return { text: `${begin} ${counted(matched, "connection")} that ${matched === 1 ? "is" : "are"} open now.` };
  }

  async #matched({ user, cidr }, signal) {
    return (await this.api.get("/connections", { query: { user, ip: cidr, limit: 1 }, signal })).matched;
  }

  /** Does something to each, a few at a time; gives how many there were still. */
  async #each(things, act) {
    const waiting = [...things];
    let done = 0;
    const work = async () => {
      for (let thing; (thing = waiting.shift()); ) {
        try {
          await act(thing);
          done += 1;
        } catch (error) {
          if (error.status !== 404 || error.isAbsent) throw error; // who left by themselves are no failure
        }
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    return done;
  }
}

const kickValues = { code: "4403", reason: "kicked" };

function subjectOf({ scope, subject = scope, user, cidr }) {
  return subject === "user" ? { user } : { cidr };
}

function limitsOf(values) {
  return {
    messages_per_second: wholeNumber(values.messages_per_second), burst: wholeNumber(values.burst),
    bytes_per_second: wholeNumber(values.bytes_per_second),
  };
}

/** Shows those fields of a dialog that go with what is chosen in it: `data-for="throttle"`, or several words. */
function showFieldsOf(dialog) {
  const form = dialog.querySelector("form");
  const follow = () => {
    const chosen = new Set(new FormData(form).values());
    for (const field of form.querySelectorAll("[data-for]")) {
      field.toggleAttribute("data-off", !field.dataset.for.split(" ").some((word) => chosen.has(word)));
    }
  };
  form.addEventListener("input", follow);
  form.addEventListener("prepare", follow);
}

/** A connection's throttle in words. */
export function throttleText({ throttle, throttled }) {
  if (!throttle) return throttled ? "throttled" : "";
  const messages = throttle.messages_per_second ? `${throttle.messages_per_second} messages/s` : "";
  const bytes = throttle.bytes_per_second ? `${throttle.bytes_per_second} bytes/s` : "";
  return [messages, bytes].filter(Boolean).join(", ") || text(null);
}
