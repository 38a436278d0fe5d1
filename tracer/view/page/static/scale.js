// Time to pixels: idle stretches are folded, the rest is to one scale, and it can be zoomed. Times are ms after the room's zero.
"use strict";
const Tracer = {};

/** Whether a time is missing: what goes on has no end. */
Tracer.isOpen = (time) => time === null || time === undefined;

/**
 * The pieces of [start, end] with each fold made short; `to` and `from` lead to and from lengths without the folds.
 * The longest fold within one of `waits`, in which something was missing, is less short.
 */
Tracer.folded = function folded(start, end, folds, waits = []) {
  const inside = folds.filter(([a, b]) => a >= start && b <= end && b > a);
  const drawn = Math.max(end - start - d3.sum(inside, ([a, b]) => b - a), 1e-6);
  const short = (drawn * 0.5) / Math.max(inside.length, 10);
  const wait = d3.greatest(inside.filter(([a, b]) => waits.some(([from, to]) => from <= a && b <= to)), ([a, b]) => b - a);
  const pieces = [];
  let time = start;
  let length = 0;
  const add = (until, size, isFold) => {
    if (until > time || isFold) pieces.push({ start: time, end: until, from: length, to: length + size, isFold });
    time = until;
    length += size;
  };
  for (const one of inside) {
    add(one[0], one[0] - time, false);
    add(one[1], one === wait ? drawn / 2 : short, true);
  }
  add(end, end - time, false);
  if (!pieces.length) pieces.push({ start, end: start + 1, from: 0, to: 1, isFold: false });
  const within = (value, low, high, from, to) => (high > low ? from + ((value - low) / (high - low)) * (to - from) : from);
  return {
    pieces,
    length: Math.max(length, 1e-6),
    to(ms) {
      const piece = pieces.find((one) => ms <= one.end) ?? pieces.at(-1);
      return within(ms, piece.start, piece.end, piece.from, piece.to);
    },
    from(at) {
      const piece = pieces.find((one) => at <= one.to) ?? pieces.at(-1);
      return within(at, piece.from, piece.to, piece.start, piece.end);
    },
  };
};

/** The classes by which what is of a lane has its colour. */
Tracer.colour = function colour(lane) {
  return `of-${lane.of}${lane.agent ? ` agent-${((lane.agent - 1) % 5) + 1}` : ""}`;
};

/** A length of time as the terminal writes it. */
Tracer.length = function length(ms, digits = null) {
  const size = Math.abs(ms);
  const sign = ms < 0 ? "−" : "";
  if (size < 1) return `${sign}${size.toFixed(digits ?? (size ? 2 : 0))} ms`;
  if (size < 1000) return `${sign}${size.toFixed(digits ?? (size < 10 ? 1 : 0))} ms`;
  if (size < 60000) return `${sign}${(size / 1000).toFixed(digits ?? (size < 10000 ? 2 : 1))} s`;
  const whole = Math.round(size / 1000);
  const seconds = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${sign}${minutes}:${seconds} min`;
  return `${sign}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${seconds} h`;
};

/** Ticks of what is seen: [time, label], at least `apart` pixels from one to the next. */
Tracer.ticks = function ticks(fold, x, width, apart) {
  const found = [];
  let free = -Infinity;
  for (const piece of fold.pieces.filter((one) => !one.isFold)) {
    const left = Math.max(x(piece.start), 0);
    const right = Math.min(x(piece.end), width);
    if (right < left) continue;
    const low = x.invert(left);
    const high = x.invert(right);
    const count = Math.max(Math.floor((right - left) / apart), 1);
    const values = d3.ticks(low, high, count);
    const step = values.length > 1 ? values[1] - values[0] : high - low;
    for (const time of values.length ? values : [piece.start]) {
      const at = x(time);
      const words = label(time, step);
      const half = words.length * 3.4;
      if (at < free || at < half || at > width - half) continue;
      found.push([time, words]);
      free = at + apart * 0.7;
    }
  }
  return found;

  function label(time, step) {
    if (Math.abs(time) < 1e-9) return "0";
    const unit = Math.abs(time) < 1000 ? 1 : 1000;
    const digits = Math.min(Math.max(Math.ceil(-Math.log10(step / unit) - 1e-9), 0), 3);
    return Tracer.length(time, digits);
  }
};

/** An element with a class, a text and children: text is never markup. */
Tracer.make = function make(tag, name = "", text = null, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== null) made.textContent = text;
  made.append(...children.filter(Boolean));
  return made;
};

/** What is written with `backticks`, as a paragraph, with code where they are; where one is left over they stay. */
Tracer.prose = function prose(tag, name, text) {
  const parts = text.split("`");
  const made = Tracer.make(tag, name);
  if (parts.length % 2) made.append(...parts.map((part, at) => (at % 2 ? Tracer.make("code", "", part) : part)));
  else made.textContent = text;
  return made;
};

/** The same for the title of an element, which is text only. */
Tracer.unquoted = (text) => (text ?? "").replaceAll("`", "");
