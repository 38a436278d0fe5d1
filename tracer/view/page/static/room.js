// One room: the verdict, its timeline, its moments, and where the time went.
"use strict";

/** What is known of a moment, as elements; with what its kind means, as `tracer explain` has it. */
Tracer.details = function details(row, words) {
  const { make } = Tracer;
  const facts = make("dl", "facts");
  const add = (name, value) => facts.append(make("dt", "", name), make("dd", "", value));
  add("at", `${row.offset.trim()}  ${row.accuracy}`);
  add("source", `${row.witnesses.join(", ")} (${row.clock}’s clock)`);
  if (row.latest_ms - row.earliest_ms > 0.01) add("between", `${Tracer.length(row.earliest_ms, 3)} and ${Tracer.length(row.latest_ms, 3)}`);
  add("UTC", row.time.slice(0, 26).replace("T", " "));
  add("kind", row.kind);
  return [
    make("strong", row.failed ? "failed" : "", row.what),
    row.detail ? make("div", "detail", row.detail) : null,
    ...(words?.[row.kind] ?? row.meaning).split("\n").map((line) => Tracer.prose("p", "", line)),
    row.contradicted ? make("p", "failed", "The sources report different times: clock skew, or one of them is wrong.") : null,
    facts,
  ].filter(Boolean);
};

/** The number of the next row at which something is wrong, or after which a lane is red, around the end; -1 where nothing is. */
Tracer.nextProblem = function nextProblem(room, after) {
  const times = new Set([...room.causes, ...room.orderings, ...room.clocks].flatMap((one) => one.at_ms));
  const red = room.lanes.flatMap((lane) => lane.marks.filter((mark) => mark.form === "failed"));
  for (const { at_ms: at } of red) times.add(d3.max(room.rows.filter((row) => row.at_ms <= at), (row) => row.at_ms));
  const wrong = room.rows.map((row, at) => (row.failed || row.contradicted || times.has(row.at_ms) ? at : -1)).filter((at) => at >= 0);
  return wrong.find((at) => at > after) ?? wrong[0] ?? -1;
};

/** Rows of one height, of which only those in view are elements. */
Tracer.Rows = class Rows {
  static height = 30;

  constructor(onSelect) {
    this.onSelect = onSelect;
    this.selected = -1;
    this.element = Tracer.make("div", "rows");
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "listbox");
    this.element.setAttribute("aria-label", "Moments, in order of time");
    this.space = Tracer.make("div", "space");
    this.space.setAttribute("role", "presentation");
    this.element.append(this.space);
    this.element.addEventListener("scroll", () => this.draw());
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.element);
  }

  show(room) {
    this.room = room;
    this.agents = new Map(room.lanes.map((lane) => [lane.id, lane]));
    this.draw();
  }

  select(number) {
    this.selected = number;
    const top = number * Rows.height;
    const { element } = this;
    if (top < element.scrollTop || top + Rows.height > element.scrollTop + element.clientHeight) {
      element.scrollTop = top - element.clientHeight / 2;
    }
    this.draw();
  }

  draw() {
    if (!this.room) return;
    const { rows } = this.room;
    const { element, space } = this;
    space.style.height = `${rows.length * Rows.height}px`;
    const first = Math.max(Math.floor(element.scrollTop / Rows.height) - 5, 0);
    const last = Math.min(first + Math.ceil((element.clientHeight || 400) / Rows.height) + 10, rows.length);
    const wanted = new Set(d3.range(first, last));
    if (this.selected >= 0 && this.selected < rows.length) wanted.add(this.selected);
    space.replaceChildren(...[...wanted].sort((a, b) => a - b).map((at) => this.row(rows[at], at)));
    if (rows[this.selected]) element.setAttribute("aria-activedescendant", `row-${this.room.room.sid}-${this.selected}`);
    else element.removeAttribute("aria-activedescendant");
  }

  row(row, at) {
    const { make } = Tracer;
    const lane = this.agents.get(row.lane);
    const colour = lane ? Tracer.colour(lane) : "";
    const made = make("div", `row ${colour}${row.failed ? " failed" : ""}`);
    made.id = `row-${this.room.room.sid}-${at}`;
    made.style.top = `${at * Rows.height}px`;
    made.setAttribute("role", "option");
    made.setAttribute("aria-posinset", String(at + 1));
    made.setAttribute("aria-setsize", String(this.room.rows.length));
    made.setAttribute("aria-selected", String(at === this.selected));
    made.append(
      make("span", "offset", row.offset.trim()),
      make("span", "dot"),
      make("span", "what", row.what, row.detail ? make("span", "detail", ` ${row.detail}`) : null),
      make("span", "accuracy", row.accuracy),
    );
    made.querySelector(".what").title = [`${row.what} ${row.detail}`.trim(), Tracer.unquoted(this.room.words?.[row.kind])].filter(Boolean).join("\n\n");
    made.addEventListener("click", () => this.onSelect(at));
    return made;
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const last = this.room.rows.length - 1;
    const page = Math.max(Math.floor(this.element.clientHeight / Rows.height) - 1, 1);
    const to = {
      ArrowDown: this.selected + 1,
      ArrowUp: this.selected - 1,
      PageDown: this.selected + page,
      PageUp: this.selected - page,
      Home: 0,
      End: last,
      n: Tracer.nextProblem(this.room, this.selected),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (last >= 0) this.onSelect(Math.min(Math.max(to, 0), last));
  }
};

Tracer.Room = class Room {
  constructor(sid) {
    const { make } = Tracer;
    this.sid = sid;
    const select = (number) => this.select(number);
    this.chart = new Tracer.Chart(select);
    this.rows = new Tracer.Rows(select);
    this.top = make("div", "verdict", null, make("p", "meta", "reading the room …"));
    this.found = make("div", "found");
    this.detail = make("div", "details", "Choose a moment: ←→ on the timeline, or click.");
    this.detail.setAttribute("aria-live", "polite");
    this.more = make("p", "left-out");
    this.everything = false;
    this.all = make("button");
    this.all.type = "button";
    this.all.addEventListener("click", () => {
      this.everything = !this.everything;
      this.reload?.();
    });
    this.below = make("section", "budget");
    this.below.setAttribute("aria-label", "Where the time went");
    const side = make("section", "side", null, this.rows.element, this.more, this.detail);
    side.setAttribute("aria-label", "Moments");
    this.element = make("article", "room loading", null, this.top, make("div", "body", null, make("div", "left", null, this.chart.element, this.found), side), this.below);
  }

  show(room, age) {
    const before = this.room?.rows[this.rows.selected];
    this.room = room;
    if (before) {
      // What was chosen stays it, wherever it is among the rows by now.
      const at = room.rows.findIndex((row) => row.kind === before.kind && row.lane === before.lane && row.what === before.what && row.detail === before.detail);
      this.rows.selected = this.chart.selected = at;
      if (at >= 0) this.showDetail(room.rows[at]);
    }
    this.showVerdict(room);
    this.showFound(room);
    this.chart.show(room, age);
    this.rows.show(room);
    this.showBudget(room);
    const words = (room.left_out ?? "").split(":")[0];
    this.more.replaceChildren(Tracer.make("span", "", words), this.all);
    this.all.textContent = this.everything ? "show less" : "show all";
    this.all.hidden = Tracer.isFile;
    this.more.hidden = !room.left_out && !this.everything;
  }

  stop() {
    this.chart.stop();
    this.rows.sizes.disconnect();
  }

  /** Stand side by side with this one. */
  pair(other) {
    this.chart.partner = other.chart;
    other.chart.partner = this.chart;
    this.chart.setTogether(true);
    // Who hears the names of what is on the page hears of which room it is.
    for (const [room, which] of [[this, "first"], [other, "second"]]) {
      const named = room.element.querySelectorAll("section[aria-label], [role][aria-label]");
      for (const one of named) one.setAttribute("aria-label", `${one.getAttribute("aria-label").replace(/\.$/, "")}, ${which} room`);
    }
  }

  select(number) {
    const row = this.room.rows[number];
    if (!row) return;
    this.chart.select(number);
    this.rows.select(number);
    this.showDetail(row);
  }

  /** What is said already is not said again. */
  showDetail(row) {
    const made = Tracer.details(row, this.room.words);
    if (made.map((one) => one.textContent).join("") !== this.detail.textContent) this.detail.replaceChildren(...made);
  }

  showVerdict({ room, verdict }) {
    const { make } = Tracer;
    const isWell = verdict.well === true;
    const state = room.open ? "open" : isWell ? "well" : verdict.well === false ? "bad" : "unsure";
    const mark = { open: "…", well: "✓", bad: "✗", unsure: "?" }[state];
    this.element.className = `room ${state}`;
    const spoken = { open: "The room is open.", well: "All went well.", bad: "Something went wrong.", unsure: "Not known." }[state];
    const badge = make("span", "mark", mark);
    badge.setAttribute("aria-hidden", "true");
    const title = make("h1", "", null, make("span", "hidden", `Room ${room.name ?? room.sid}. ${spoken} `), Tracer.prose("span", "", verdict.sentence));
    const facts = make("p", "meta", null, make("b", "", room.name ?? "without a name"), make("code", "", room.sid));
    if (room.created) facts.append(make("span", "", new Date(room.created).toLocaleString()));
    if (room.created_by) facts.append(make("span", "", `created by ${room.created_by}`));
    const stopped = room.stopped ? `open when tracer stopped listening, at ${room.stopped}` : null;
    facts.append(make("span", "", stopped ?? (room.open ? "open" : `closed${room.lasted_ms === null ? "" : ` after ${Tracer.length(room.lasted_ms)}`}${room.end_reason ? `: ${room.end_reason}` : ""}`)));
    if (room.trace_url) {
      const link = make("a", "", "trace in Jaeger");
      link.href = room.trace_url;
      link.rel = "noreferrer noopener";
      link.target = "_blank";
      facts.append(link);
    }
    const ready = verdict.ready_after ? make("div", "ready", null, make("b", "", verdict.ready_after), make("span", "", "until the agent was ready")) : null;
    this.top.replaceChildren(...[badge, make("div", "words", null, title, facts), ready].filter(Boolean));
  }

  showFound(room) {
    const { make } = Tracer;
    const cards = [];
    const card = (name, head, sentence, advice, times, word = "") => {
      const made = make("li", name, null, make("b", "", head), Tracer.prose("span", "", sentence), advice ? Tracer.prose("em", "", advice) : null);
      made.querySelector("b").title = Tracer.unquoted(room.words?.[word]);
      const at = room.rows.findIndex((row) => times.includes(row.at_ms));
      if (at >= 0) {
        const button = make("button", "", "show");
        button.type = "button";
        button.setAttribute("aria-label", `show where: ${sentence}`);
        button.addEventListener("click", () => this.select(at));
        made.append(button);
      }
      cards.push(made);
    };
    for (const cause of room.causes) card("cause", `${cause.name}${cause.certain ? "" : " (likely)"}`, cause.sentence, cause.advice, cause.at_ms, cause.name);
    for (const broken of room.orderings) card("broken", `broken ordering: ${broken.rule}`, broken.sentence, "", broken.at_ms, broken.rule);
    for (const clock of room.clocks) card("skew", "clock skew", clock.sentence, "", clock.at_ms);
    for (const note of room.notes) card("note", "", note, "", []);
    const list = make("ul", "", null, ...cards);
    list.setAttribute("aria-label", "What was found");
    this.found.replaceChildren(list);
    this.found.hidden = !cards.length;
  }

  showBudget({ budget, verdict, words: meanings }) {
    const { make } = Tracer;
    this.below.hidden = !budget;
    if (!budget) return;
    const whole = d3.sum(budget.gaps, (gap) => Math.max(gap.ms, 0)) || 1;
    const bar = make("div", "stack");
    bar.setAttribute("aria-hidden", "true");
    const list = make("ol", "gaps");
    for (const gap of budget.gaps) {
      const share = Math.max(gap.ms, 0) / whole;
      const words = `${gap.text} ${gap.label}: ${gap.from} → ${gap.to}`;
      const part = make("span", gap.owner, share > 0.07 ? gap.text : "");
      part.style.flexGrow = String(share);
      part.title = [words, Tracer.unquoted(gap.hover)].filter(Boolean).join("\n\n");
      bar.append(part);
      if (share < 0.005) continue;
      const owner = make("span", "owner", gap.label);
      owner.title = Tracer.unquoted(meanings?.[gap.owner]);
      const path = make("span", "path", `${gap.from} → ${gap.to}`);
      path.title = Tracer.unquoted(gap.hover);
      list.append(make("li", gap.owner, null, make("span", "dot"), make("b", "", gap.text), make("span", "share", `${Math.round(share * 100)} %`), owner, path));
    }
    // Of an agent that was never ready only as far as it came.
    const path = `${budget.gaps[0].from} → ${budget.gaps.at(-1).to}`;
    const until = verdict.ready_after ? `${budget.whole} until the agent was ready` : `${budget.whole}, ${path}`;
    this.below.replaceChildren(make("h2", "", `Where the time went: ${until}`), bar, list);
    if (budget.advice) this.below.append(Tracer.prose("p", "advice", `→ ${budget.advice}`));
  }
};
