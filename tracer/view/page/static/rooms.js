// The list of rooms, newest first.
"use strict";

Tracer.RoomList = class RoomList {
  /** `load` reads what is behind so many rooms. */
  constructor(search) {
    const { make } = Tracer;
    this.search = search;
    this.load = () => {};
    /** Behind how many rooms the last was read. */
    this.opened = 0;
    this.chosen = new Set();
    this.rooms = [];
    this.body = make("tbody");
    const head = make("tr");
    for (const [name, label] of [["pick", ""], ["mark", ""], ["name", "room"], ["created", "created"], ["lasted", "lasted"], ["callers", "callers"], ["agents", "agents"], ["ready", "agent ready"], ["cause", "cause"]]) {
      const cell = make("th", name, label);
      cell.scope = "col";
      if (name === "pick") cell.append(make("span", "hidden", "choose to compare"));
      if (name === "mark") cell.append(make("span", "hidden", "how it went"));
      head.append(cell);
    }
    this.compare = make("a", "button compare", "Compare the two");
    this.compare.hidden = true;
    this.more = make("button", "more", "More rooms");
    this.more.type = "button";
    this.more.hidden = true;
    this.more.addEventListener("click", async () => {
      const before = this.rooms.length;
      await this.load(this.next);
      this.body.children[before]?.querySelector("a").focus();
    });
    this.newest = make("button", "newest", "Show the newest rooms");
    this.newest.type = "button";
    this.newest.hidden = true;
    this.newest.addEventListener("click", async () => {
      await this.load(0);
      this.body.querySelector("a")?.focus();
    });
    this.none = make("p", "none");
    const table = make("table", "rooms", null, make("caption", "hidden", "Rooms, newest first"), make("thead", "", null, head), this.body);
    this.element = make("section", "list", null, make("h1", "hidden", "Rooms"), this.compare, this.newest, table, this.none, this.more);
  }

  /** Show a page of the list; behind what is shown when `after` is not 0. */
  show(found, after) {
    // What came meanwhile has moved the others: some of them are here already.
    const known = new Set(after ? this.rooms.map((room) => room.sid) : []);
    const fresh = found.rooms.filter((room) => !known.has(room.sid));
    this.rooms = after ? [...this.rooms, ...fresh] : fresh;
    this.newest.hidden ||= !after;
    this.opened = after;
    this.next = found.more;
    this.more.hidden = found.more === null;
    this.none.hidden = this.rooms.length > 0;
    this.none.replaceChildren(this.search ? "No room has this in its name, an identity, an agent’s name or a cause." : "No rooms yet. Point your LiveKit server’s webhooks at this address, and make a call.");
    if (after) this.body.append(...fresh.map((room) => this.row(room)));
    else {
      const focused = document.activeElement?.closest?.("tr")?.dataset.sid;
      this.body.replaceChildren(...this.rooms.map((room) => this.row(room)));
      if (focused) this.link(focused)?.focus();
    }
  }

  /** There may be something new, while what was opened stays. */
  offerNewest() {
    this.newest.hidden = false;
  }

  /** The link to a room, where it is listed. */
  link(sid) {
    return [...this.body.children].find((row) => row.dataset.sid === sid)?.querySelector("a") ?? null;
  }

  row(room) {
    const { make } = Tracer;
    const stopped = room.listened_until; // while it was open
    const state = room.finished === null && !stopped ? "open" : room.well === true ? "well" : room.well === false ? "bad" : "unsure";
    const words = { open: "open", well: "all went well", bad: "something went wrong", unsure: "not known" }[state];
    const row = make("tr", state);
    row.dataset.sid = room.sid;
    const cell = (name, text, ...inside) => row.append(make("td", name, text, ...inside));
    const pick = make("input");
    pick.type = "checkbox";
    pick.checked = this.chosen.has(room.sid);
    pick.setAttribute("aria-label", `compare ${room.name ?? room.sid}`);
    pick.addEventListener("change", () => this.pick(room.sid, pick.checked));
    const mark = make("span", "mark", { open: "…", well: "✓", bad: "✗", unsure: "?" }[state]);
    mark.title = words;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", words);
    const link = make("a", "", room.name ?? "without a name");
    link.href = `#room=${encodeURIComponent(room.sid)}`;
    const created = room.created && new Date(room.created);
    const end = room.finished ?? stopped;
    const lasted = created && end ? `${stopped ? "≥ " : ""}${Tracer.length(new Date(end) - created)}` : "open";
    cell("pick", null, pick);
    cell("mark", null, mark);
    cell("name", null, link, " ", make("code", "", room.sid));
    cell("created", created ? created.toLocaleString() : "");
    cell("lasted", room.created ? lasted : "");
    cell("callers", String(room.participants));
    cell("agents", String(room.agents));
    cell("ready", room.ready_ms === null ? "" : Tracer.length(room.ready_ms));
    cell("cause", room.causes?.[0] ?? (room.well === false ? "none found" : ""));
    return row;
  }

  pick(sid, isChosen) {
    if (isChosen) this.chosen.add(sid);
    else this.chosen.delete(sid);
    const [a, b] = [...this.chosen].slice(-2);
    this.compare.hidden = !b;
    if (b) this.compare.href = `#room=${encodeURIComponent(a)}&room=${encodeURIComponent(b)}`;
  }
};
