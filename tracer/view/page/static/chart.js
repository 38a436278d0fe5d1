// The lanes of a room on a time axis: only those in view are drawn, so that a thousand cost no more than thirty.
"use strict";

Tracer.Chart = class Chart {
  static lane = 30;
  static axis = 46;

  /** `onSelect` is called with the number of the row that was chosen here. */
  constructor(onSelect) {
    this.onSelect = onSelect;
    this.closed = new Set();
    this.folding = true;
    this.selected = -1;
    this.hovered = -1;
    this.transform = d3.zoomIdentity;
    this.partner = null;
    this.isTogether = false;
    const { make } = Tracer;
    this.element = make("section", "chart");
    this.element.setAttribute("aria-label", "Timeline");
    this.tools = make("div", "tools");
    this.tools.setAttribute("role", "toolbar");
    this.tools.setAttribute("aria-label", "Timeline");
    this.tool("−", "Zoom out", () => this.zoomBy(1 / 1.6));
    this.tool("+", "Zoom in", () => this.zoomBy(1.6));
    this.tool("fit", "Show the whole call", () => this.reset());
    this.foldTool = this.tool("fold idle", "Fold stretches in which nothing happens", () => this.setFolding(!this.folding));
    this.pairTool = this.tool("one scale", "Show both rooms on one scale, moved and zoomed together", () => this.setTogether(!this.isTogether));
    this.pairTool.hidden = true;
    this.laneTool = this.tool("fold lanes", "Fold what belongs to a participant or job", () => this.foldLanes());
    this.tools.append(make("span", "keys", "drag pans · ctrl+wheel zooms · ←→ moments · n next problem"));
    this.head = make("div", "axis");
    this.scroll = make("div", "lanes");
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", "application");
    this.scroll.setAttribute("aria-roledescription", "timeline");
    this.scroll.setAttribute(
      "aria-label",
      "Timeline. Left and right: moments in order. Up and down: the lane above or below. Plus and minus: zoom. 0: all. N: next problem.",
    );
    this.space = make("div", "space");
    this.labels = make("div", "labels");
    this.tip = make("div", "tip");
    this.tip.hidden = true;
    this.axisSvg = d3.select(this.head).append("svg").attr("aria-hidden", "true");
    this.svg = d3.select(this.space).append("svg").attr("class", "plot").attr("aria-hidden", "true");
    this.space.append(this.labels);
    this.scroll.append(this.space);
    this.element.append(this.tools, this.head, this.scroll, this.tip);
    this.zoom = d3
      .zoom()
      .filter((event) => (event.type === "wheel" ? event.ctrlKey || event.metaKey || Math.abs(event.deltaX) > Math.abs(event.deltaY) : !event.button))
      .on("zoom", (event) => {
        this.transform = event.transform;
        this.later();
        if (this.isTogether && !this.isFollowing) this.partner.follow(this);
      });
    this.svg.call(this.zoom).on("dblclick.zoom", null);
    this.svg.on("wheel.pan", (event) => {
      if (event.ctrlKey || event.metaKey || Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.panBy(-event.deltaX);
    }, { capture: true, passive: false });
    this.svg.on("pointermove.tip", (event) => this.hover(event)).on("pointerleave.tip", () => this.unhover());
    this.svg.on("click.choose", (event) => {
      const row = this.rowAt(event);
      if (row >= 0) this.onSelect(row);
    });
    this.scroll.addEventListener("scroll", () => this.later());
    this.scroll.addEventListener("keydown", (event) => this.key(event));
    this.sizes = new ResizeObserver(() => this.later());
    this.sizes.observe(this.scroll);
  }

  tool(text, title, act) {
    const button = Tracer.make("button", "", text);
    button.type = "button";
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", act);
    this.tools.append(button);
    return button;
  }

  /** Show this room; `age` is by how many ms its data are older than now. */
  show(room, age) {
    const isFirst = !this.room;
    this.room = room;
    this.arrived = performance.now() - age;
    const parents = new Set(room.lanes.map((lane) => lane.parent).filter(Boolean));
    const depth = new Map();
    for (const lane of room.lanes) depth.set(lane.id, lane.parent ? (depth.get(lane.parent) ?? 0) + 1 : 0);
    this.depth = depth;
    this.parents = parents;
    if (isFirst && room.lanes.length > 60) parents.forEach((id) => this.closed.add(id));
    this.byLane = d3.group(room.rows.map((row, number) => ({ row, number })), (one) => one.row.lane);
    if (this.isTogether) this.partner.later();
    this.foldTool.hidden = this.isTogether || !room.folds_ms.length;
    this.laneTool.hidden = !parents.size;
    this.arrange();
    this.later();
    clearInterval(this.ticking);
    if (room.room.open && !Tracer.isFile) this.ticking = setInterval(() => this.element.isConnected && this.later(), 100);
  }

  /** Of two rooms side by side: each is counted from its own creation, and what is idle is not folded. */
  setTogether(value) {
    for (const one of [this, this.partner]) {
      one.isTogether = value;
      one.pairTool.hidden = false;
      one.pairTool.setAttribute("aria-pressed", String(value));
      one.foldTool.hidden = value || !one.room?.folds_ms.length;
      if (one.room) one.reset();
    }
  }

  /** Show the stretch of time that the other shows. */
  follow(other) {
    const { x, k } = other.transform;
    this.isFollowing = true;
    this.zoom.transform(this.svg, d3.zoomIdentity.translate((x * (this.width ?? other.width)) / other.width, 0).scale(k));
    this.isFollowing = false;
  }

  stop() {
    clearInterval(this.ticking);
    this.sizes.disconnect();
  }

  arrange() {
    const hidden = new Set();
    this.lanes = [];
    for (const lane of this.room.lanes) {
      if (lane.parent && (hidden.has(lane.parent) || this.closed.has(lane.parent))) hidden.add(lane.id);
      else this.lanes.push(lane);
    }
    this.place = new Map(this.lanes.map((lane, at) => [lane.id, at]));
    this.labelled = null;
    this.foldTool.setAttribute("aria-pressed", String(this.folding));
    this.laneTool.setAttribute("aria-pressed", String(this.closed.size > 0));
  }

  /** The time until which what is open goes on. */
  get now() {
    const { room, now_ms: now, end_ms: end } = this.room;
    return room.open && !Tracer.isFile ? Math.max(now + performance.now() - this.arrived, end) : end;
  }

  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  /** From when until when there is something to show, ms. */
  get extent() {
    const { room } = this;
    const starts = [0, ...room.rows.filter((row) => row.lane).map((row) => row.at_ms)];
    for (const lane of room.lanes) for (const bar of lane.bars) starts.push(bar.start_ms);
    return [d3.min(starts), this.now];
  }

  scale() {
    const { room } = this;
    const both = [this.extent, ...(this.isTogether && this.partner.room ? [this.partner.extent] : [])];
    const start = d3.min(both, ([from]) => from);
    const now = d3.max(both, ([, until]) => until);
    const folds = this.folding && !this.isTogether ? room.folds_ms.map(([a, b]) => [a, b >= room.end_ms && room.room.open ? now : b]) : [];
    const missing = room.lanes.flatMap((lane) => lane.bars.filter((bar) => bar.form === "missing" || bar.text === "no agent"));
    const waits = missing.map((bar) => [bar.start_ms, bar.end_ms ?? now]);
    const fold = Tracer.folded(start, Math.max(now, start + 1), folds, waits);
    const base = d3.scaleLinear([0, fold.length], [10, this.width - 18]);
    const { transform } = this;
    const x = (ms) => transform.applyX(base(fold.to(ms)));
    x.invert = (pixel) => fold.from(base.invert(transform.invertX(pixel)));
    x.range = () => [0, this.width];
    x.copy = () => x;
    this.fold = fold;
    this.x = x;
    this.zoom
      .extent([[0, 0], [this.width, 1]])
      .translateExtent([[0, 0], [this.width, 1]])
      .scaleExtent([1, Math.max((fold.length * 200) / this.width, 4)]);
    return x;
  }

  draw() {
    if (!this.room || !this.scroll.clientWidth) return;
    const left = this.labels.offsetWidth;
    this.width = Math.max(this.scroll.clientWidth - left, 80);
    const x = this.scale();
    const { lane: height } = Chart;
    const top = this.scroll.scrollTop;
    const seen = this.scroll.clientHeight || 400;
    this.space.style.height = `${this.lanes.length * height}px`;
    const first = Math.max(Math.floor(top / height) - 2, 0);
    const last = Math.min(Math.ceil((top + seen) / height) + 2, this.lanes.length);
    this.drawAxis(x, left);
    this.svg
      .attr("width", this.width)
      .attr("height", (last - first) * height)
      .style("left", `${left}px`)
      .style("top", `${first * height}px`);
    this.first = first;
    const marks = [];
    const back = [];
    for (const piece of this.fold.pieces) {
      if (!piece.isFold) continue;
      back.push(["rect", "gap", { x: x(piece.start), y: 0, width: Math.max(x(piece.end) - x(piece.start), 2), height: (last - first) * height }]);
    }
    this.svg.selectAll("*").remove();
    for (const [tag, name, values] of back) this.put(this.svg, tag, name, values);
    for (const [time] of this.marked) this.put(this.svg, "line", "grid", { x1: x(time), x2: x(time), y1: 0, y2: (last - first) * height });
    this.drawLabels(first, last);
    for (let at = first; at < last; at++) this.drawLane(this.lanes[at], at, (at - first) * height, x, marks);
    this.drawBroken(x);
    if (this.room.room.open && !Tracer.isFile) {
      const now = x(this.now);
      this.put(this.svg, "line", "now", { x1: now, x2: now, y1: 0, y2: (last - first) * height });
    }
    this.drawSelected(x, (last - first) * height);
  }

  put(parent, tag, name, values, text = null) {
    const made = parent.append(tag).attr("class", name);
    for (const [key, value] of Object.entries(values)) made.attr(key, value);
    if (text !== null) made.text(text);
    return made;
  }

  drawAxis(x, left) {
    const { axis: height } = Chart;
    this.marked = Tracer.ticks(this.fold, x, this.width, this.width < 420 ? 62 : 84);
    const labels = new Map(this.marked);
    this.axisSvg.attr("width", this.width).attr("height", height).style("margin-left", `${left}px`);
    this.axisSvg.selectAll("*").remove();
    const axis = d3.axisTop(x).tickValues([...labels.keys()]).tickFormat((time) => labels.get(time)).tickSizeOuter(0);
    this.axisSvg.append("g").attr("transform", `translate(0,${height - 1})`).call(axis);
    let free = 0;
    for (const piece of this.fold.pieces) {
      if (!piece.isFold) continue;
      const middle = (x(piece.start) + x(piece.end)) / 2;
      if (middle < free || this.marked.some(([time]) => Math.abs(x(time) - middle) < 38)) continue;
      free = middle + 30;
      this.put(this.axisSvg, "text", "skipped", { x: middle, y: height - 9, "text-anchor": "middle" }, "⋯").append("title").text(`nothing happens for ${Tracer.length(piece.end - piece.start)}`);
    }
    const flag = (name, times, sentence) => {
      for (const time of times) {
        const at = x(time);
        if (at < 0 || at > this.width) continue;
        this.put(this.axisSvg, "path", `flag ${name}`, { d: `M${at - 5},2h10l-5,8z` }).append("title").text(sentence);
      }
    };
    for (const clock of this.room.clocks) flag("skew", clock.at_ms, `clock skew: ${clock.sentence}`);
    for (const cause of this.room.causes) flag("cause", cause.at_ms, cause.sentence);
    for (const broken of this.room.orderings) flag("broken", broken.at_ms, broken.sentence);
  }

  drawLane(lane, at, y, x, marks) {
    const { lane: height } = Chart;
    const middle = y + height / 2;
    const group = this.svg.append("g").attr("class", `lane ${Tracer.colour(lane)}`);
    this.put(group, "line", "rule", { x1: 0, x2: this.width, y1: y + height - 0.5, y2: y + height - 0.5 });
    const now = this.now;
    for (const bar of lane.bars) {
      const start = x(bar.start_ms);
      const end = x(Tracer.isOpen(bar.end_ms) ? now : bar.end_ms);
      const from = Math.max(start, -20);
      const width = Math.max(Math.min(end, this.width + 20) - from, 2);
      if (end < -20 || start > this.width + 20) continue;
      const isThin = bar.form === "span" || bar.form === "joining" || bar.form === "muted";
      const size = lane.of === "track" ? 5 : isThin ? 7 : 12;
      this.put(group, "rect", `bar ${bar.form}`, { x: from, y: middle - size / 2, width, height: size, rx: Math.min(size / 2, 4) });
    }
    // Nothing is written over a bar.
    const taken = lane.bars.map((bar) => [x(bar.start_ms), x(Tracer.isOpen(bar.end_ms) ? now : bar.end_ms)]);
    const points = this.byLane.get(lane.id) ?? [];
    for (const { row } of points) taken.push([x(row.at_ms) - 4, x(row.at_ms) + 4]);
    if (this.room.room.open && !Tracer.isFile) taken.push([x(now) - 3, x(now) + 3]);
    this.inside = []; // written over what is on the bar
    const worst = (bar) => (bar.form === "failed" || bar.form === "missing" || bar.form === "unknown" ? 0 : 1);
    for (const bar of d3.sort(lane.bars, worst)) {
      const [start, end] = [Math.max(x(bar.start_ms), 0), Math.min(x(Tracer.isOpen(bar.end_ms) ? now : bar.end_ms), this.width)];
      if (bar.text && end > 0 && start < this.width) this.drawText(group, bar, start, end, middle, taken, points);
    }
    for (const mark of lane.marks) this.drawMark(group, mark, x(mark.at_ms), middle, taken);
    for (const { row, number } of points) {
      const px = x(row.at_ms);
      if (px < -6 || px > this.width + 6) continue;
      this.put(group, "circle", `moment${row.failed ? " failed" : ""}${row.contradicted ? " doubtful" : ""}`, { cx: px, cy: middle, r: row.failed ? 4.5 : 2.6 });
    }
    for (const words of this.inside) this.put(...words);
  }

  /** The widest stretch between two pixels in which nothing failed. */
  gap(start, end, points) {
    const failed = points.filter(({ row }) => row.failed).map(({ row }) => this.x(row.at_ms));
    const edges = [start, ...failed.filter((at) => at > start && at < end), end];
    return d3.greatest(d3.pairs(d3.sort(edges)), ([a, b]) => b - a).map((at, side) => at + (side ? -9 : 9));
  }

  drawText(group, bar, start, end, middle, taken, points) {
    const isWide = end - start > bar.text.length * 6.4 + 16 && bar.form !== "span";
    const [from, to] = isWide ? this.gap(start, end, points) : [0, 0];
    const size = bar.text.length * 6.4;
    // What failed is one red: its moments end where its words are, and no edge of theirs stands out of the bar.
    if (to - from > size && bar.form === "failed") this.inside.push([group, "rect", "bar failed", { x: (from + to - size) / 2 - 4, y: middle - 6, width: size + 8, height: 12 }]);
    if (to - from > size) this.inside.push([group, "text", `words ${bar.form} inside`, { x: (from + to) / 2, y: middle + 4, "text-anchor": "middle" }, bar.text]);
    else this.drawWords(group, bar.form, bar.text, start, end, middle, taken);
  }

  /** Words to the right or to the left of a stretch, where nothing is written yet; else they are left to the rows. */
  drawWords(group, name, text, start, end, middle, taken) {
    const size = text.length * 6.8;
    const isFree = (from, to) => from >= 0 && to <= this.width - 6 && !taken.some(([a, b]) => from < b && to > a);
    const sides = [[end + 9, "start", end + 9], [start - 9, "end", start - 9 - size]];
    const side = sides.find(([, , from]) => isFree(from, from + size));
    if (!side) return false;
    taken.push([side[2], side[2] + size]);
    this.put(group, "text", `words ${name}`, { x: side[0], y: middle + 4, "text-anchor": side[1] }, text);
    return true;
  }

  drawMark(group, mark, x, middle, taken) {
    if (x < -8 || x > this.width + 8) return;
    switch (mark.form) {
      case "joining":
        this.put(group, "circle", "state open", { cx: x, cy: middle, r: 5 });
        break;
      case "joined":
        this.put(group, "circle", "state open", { cx: x, cy: middle, r: 5 });
        this.put(group, "path", "state half", { d: `M${x},${middle - 5}a5,5 0 0 0 0,10z` });
        break;
      case "active":
        this.put(group, "circle", "state full", { cx: x, cy: middle, r: 5.5 });
        break;
      case "failed":
      case "aborted":
        this.put(group, "path", "cross", { d: `M${x - 4.5},${middle - 4.5}l9,9m0,-9l-9,9` });
        break;
      default:
        this.put(group, "line", "end", { x1: x, x2: x, y1: middle - 8, y2: middle + 8 });
    }
    if (!mark.text || mark.form === "finished") return;
    // Where there is no room for why, at least what.
    const write = (text) => this.drawWords(group, mark.form, text, x, x, middle, taken);
    if (!write(mark.text) && mark.text.includes(":")) write(mark.text.split(":")[0]);
  }

  /** The names of the lanes in view, which stay as they are while the time axis moves. */
  drawLabels(first, last) {
    this.labelWidth = this.labels.offsetWidth;
    if (this.labelled && this.labelled[0] === first && this.labelled[1] === last) return;
    this.labelled = [first, last];
    this.labels.replaceChildren();
    for (let at = first; at < last; at++) this.drawLabel(this.lanes[at], at);
  }

  drawLabel(lane, at) {
    const { make } = Tracer;
    const label = make("div", `label ${Tracer.colour(lane)}`);
    label.style.top = `${at * Chart.lane}px`;
    label.style.paddingLeft = `${8 + (this.depth.get(lane.id) ?? 0) * 12}px`;
    if (this.parents.has(lane.id)) {
      const isOpen = !this.closed.has(lane.id);
      const button = make("button", "twist", isOpen ? "▾" : "▸");
      button.type = "button";
      button.setAttribute("aria-expanded", String(isOpen));
      button.setAttribute("aria-label", `what belongs to ${lane.label}`);
      button.tabIndex = -1;
      button.addEventListener("click", () => this.twist(lane.id));
      label.append(button);
    }
    label.append(make("span", "dot"), make("span", "name", lane.label));
    // One of which two letters were seen says nothing.
    const free = this.labelWidth - 44 - (this.depth.get(lane.id) ?? 0) * 12 - lane.label.length * 7;
    if (free > Math.min(lane.note.length, 6) * 6.5) label.append(make("span", "note", lane.note));
    label.title = `${lane.label} ${lane.note}`.trim();
    this.labels.append(label);
  }

  /** Orderings that do not hold: a line from the one moment to the other. */
  drawBroken(x) {
    for (const broken of this.room.orderings) {
      const points = broken.at_ms.map((time, at) => [x(time), ((this.place.get(broken.lanes[at]) ?? -1) - this.first + 0.5) * Chart.lane]);
      if (points.length > 1 && points.every(([, y]) => y > -1000)) this.put(this.svg, "path", "broken", { d: d3.line()(points) });
    }
  }

  drawSelected(x, height) {
    const number = this.hovered >= 0 ? this.hovered : this.selected;
    const row = this.room.rows[number];
    if (!row) return;
    const at = x(row.at_ms);
    this.put(this.svg, "line", "cursor", { x1: at, x2: at, y1: 0, y2: height });
    const place = this.place.get(row.lane);
    if (place !== undefined) {
      const y = (place - this.first + 0.5) * Chart.lane;
      const [early, late] = [x(row.earliest_ms), x(row.latest_ms)];
      this.put(this.svg, "path", "whisker", { d: `M${early},${y - 5}v10M${late},${y - 5}v10M${early},${y}H${late}` });
      this.put(this.svg, "circle", "chosen", { cx: at, cy: y, r: 8 });
    }
    const words = this.put(this.axisSvg, "text", "at", { x: Math.min(Math.max(at, 34), this.width - 34), y: 22, "text-anchor": "middle" }, row.offset.trim());
    words.raise();
  }

  rowAt(event) {
    const [px, py] = d3.pointer(event, this.svg.node());
    const lane = this.lanes[this.first + Math.floor(py / Chart.lane)];
    const near = d3.least(this.byLane.get(lane?.id) ?? [], (one) => Math.abs(this.x(one.row.at_ms) - px));
    return near && Math.abs(this.x(near.row.at_ms) - px) < 14 ? near.number : -1;
  }

  hover(event) {
    const found = event.buttons ? -1 : this.rowAt(event);
    if (found === this.hovered) return;
    this.hovered = found;
    this.tip.hidden = found < 0;
    if (found >= 0) {
      this.tip.replaceChildren(...Tracer.details(this.room.rows[found], this.room.words));
      const box = this.element.getBoundingClientRect();
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      const width = Math.min(320, box.width - 16);
      this.tip.style.width = `${width}px`;
      this.tip.style.left = `${Math.min(Math.max(x + 14, 8), box.width - width - 8)}px`;
      const height = this.tip.offsetHeight;
      const fits = event.clientY + 18 + height <= window.innerHeight;
      this.tip.style.top = `${fits ? y + 18 : Math.max(y - height - 12, -box.top)}px`;
    }
    this.later();
  }

  unhover() {
    this.hovered = -1;
    this.tip.hidden = true;
    this.later();
  }

  /** Mark a row, and bring it into view. */
  select(number) {
    this.selected = number;
    const row = this.room.rows[number];
    const parent = row && this.room.lanes.find((lane) => lane.id === row.lane);
    const place = row && this.place.get(row.lane);
    if (parent && place !== undefined) {
      const y = place * Chart.lane;
      if (y < this.scroll.scrollTop) this.scroll.scrollTop = y;
      else if (y + Chart.lane > this.scroll.scrollTop + this.scroll.clientHeight) this.scroll.scrollTop = y + Chart.lane - this.scroll.clientHeight;
    }
    if (row && this.x) {
      const at = this.x(row.at_ms);
      if (at < 0 || at > this.width) this.panBy(this.width / 2 - at);
    }
    this.later();
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = this.room.rows;
    const go = (number) => number >= 0 && number < rows.length && this.onSelect(number);
    const { selected } = this;
    switch (event.key) {
      case "ArrowRight":
        if (event.shiftKey) this.panBy(-80);
        else go(selected + 1);
        break;
      case "ArrowLeft":
        if (event.shiftKey) this.panBy(80);
        else go(Math.max(selected - 1, 0));
        break;
      case "ArrowDown":
        go(this.beside(1));
        break;
      case "ArrowUp":
        go(this.beside(-1));
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(rows.length - 1);
        break;
      case "+":
      case "=":
        this.zoomBy(1.6);
        break;
      case "-":
        this.zoomBy(1 / 1.6);
        break;
      case "0":
        this.reset();
        break;
      case "f":
        this.setFolding(!this.folding);
        break;
      case "n":
        go(Tracer.nextProblem(this.room, selected));
        break;
      case "Enter":
      case " ": {
        const lane = this.room.lanes.find((one) => one.id === rows[selected]?.lane);
        if (lane && this.parents.has(lane.id)) this.twist(lane.id);
        break;
      }
      default:
        return;
    }
    event.preventDefault();
  }

  /** The nearest in time on the next lane, in this direction, that has any. */
  beside(step) {
    const row = this.room.rows[this.selected];
    for (let at = (this.place.get(row?.lane) ?? (step > 0 ? -1 : this.lanes.length)) + step; at >= 0 && at < this.lanes.length; at += step) {
      const near = d3.least(this.byLane.get(this.lanes[at].id) ?? [], (one) => Math.abs(one.row.at_ms - (row?.at_ms ?? 0)));
      if (near) return near.number;
    }
    return -1;
  }

  twist(id) {
    if (!this.closed.delete(id)) this.closed.add(id);
    this.arrange();
    this.later();
  }

  foldLanes() {
    if (this.closed.size) this.closed.clear();
    else this.parents.forEach((id) => this.closed.add(id));
    this.arrange();
    this.later();
  }

  setFolding(value) {
    this.folding = value;
    this.arrange();
    this.reset();
  }

  zoomBy(factor) {
    const row = this.room.rows[this.selected];
    const at = row && this.x ? Math.min(Math.max(this.x(row.at_ms), 0), this.width) : this.width / 2;
    this.zoom.scaleBy(this.svg, factor, [at, 0]);
  }

  panBy(pixels) {
    this.zoom.translateBy(this.svg, pixels / this.transform.k, 0);
  }

  reset() {
    this.zoom.transform(this.svg, d3.zoomIdentity);
    this.later();
  }
};
